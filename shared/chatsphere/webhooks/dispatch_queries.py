"""SQL of sending. Row level security already hides other tenants; each query says it again."""

from typing import Final

HOLD_ENDPOINTS: Final = """
    SELECT id FROM webhook_endpoints
    WHERE organization_id = app.current_organization() AND is_enabled
    ORDER BY id FOR NO KEY UPDATE
"""
"""Of two that make deliveries the second waits, so that numbers are given once and in order."""

MAKE_DELIVERIES: Final = """
    WITH taken AS (
        SELECT id, type, bot_id FROM webhook_events
        WHERE organization_id = app.current_organization() AND dispatched_at IS NULL
        ORDER BY id LIMIT %(limit)s FOR UPDATE
    ), matched AS (
        SELECT taken.id AS event_id, e.id AS endpoint_id,
            e.last_sequence + row_number() OVER (PARTITION BY e.id ORDER BY taken.id) AS sequence
        FROM taken
        JOIN webhook_endpoints e ON e.organization_id = app.current_organization() AND e.is_enabled
            AND (cardinality(e.event_types) = 0 OR taken.type = ANY (e.event_types))
            AND (e.bot_ids IS NULL OR taken.bot_id = ANY (e.bot_ids))
    ), numbered AS (
        UPDATE webhook_endpoints e SET last_sequence = newest.sequence
        FROM (SELECT endpoint_id, max(sequence) AS sequence FROM matched GROUP BY endpoint_id) newest
        WHERE e.organization_id = app.current_organization() AND e.id = newest.endpoint_id
    ), made AS (
        INSERT INTO webhook_deliveries
            (id, organization_id, endpoint_id, event_id, sequence, next_attempt_at, created_at)
        SELECT app.uuid_v7(), app.current_organization(), endpoint_id, event_id, sequence, %(now)s, %(now)s
        FROM (SELECT * FROM matched ORDER BY event_id, endpoint_id) AS ordered
    )
    UPDATE webhook_events SET dispatched_at = %(now)s
    FROM taken
    WHERE webhook_events.organization_id = app.current_organization() AND webhook_events.id = taken.id
    RETURNING webhook_events.id
"""
"""Make a delivery of each new event to each endpoint that wants it, and mark the events as dispatched."""

HOLD_CLAIMS: Final = """
    SELECT pg_advisory_xact_lock(hashtextextended('webhook claims ' || app.current_organization()::text, 0))
"""
"""One claim of the tenant's at a time: what is under way is counted, and two that count together count too little."""

CLAIM: Final = """
    WITH under_way AS (
        SELECT endpoint_id, count(*) AS tries FROM webhook_deliveries
        WHERE organization_id = app.current_organization() AND status = 'pending' AND lease_expires_at > %(now)s
        GROUP BY endpoint_id
    ), receivers AS (
        SELECT e.id, e.failing_since IS NOT NULL AS failing, COALESCE(under_way.tries, 0) AS tries,
            COALESCE(sum(under_way.tries) FILTER (WHERE e.failing_since IS NOT NULL) OVER (), 0) AS failing_tries
        FROM webhook_endpoints e LEFT JOIN under_way ON under_way.endpoint_id = e.id
        WHERE e.organization_id = app.current_organization() AND e.is_enabled
    ), first_of_each AS (
        SELECT waiting.*, receivers.tries
        FROM receivers CROSS JOIN LATERAL (
            SELECT id, next_attempt_at, sequence FROM webhook_deliveries
            WHERE organization_id = app.current_organization() AND endpoint_id = receivers.id
              AND status = 'pending' AND next_attempt_at <= %(now)s
              AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)
            ORDER BY next_attempt_at, sequence LIMIT 1) waiting
        WHERE tries < %(at_once)s AND NOT (failing AND failing_tries >= %(failing_at_once)s)
    ), due AS (
        SELECT id FROM first_of_each ORDER BY tries, next_attempt_at, sequence LIMIT 1
    ), taken AS (
        UPDATE webhook_deliveries
        SET attempts = attempts + 1, last_attempt_at = %(now)s, lease_expires_at = %(lease_expires_at)s
        WHERE organization_id = app.current_organization() AND id = (SELECT id FROM due) AND finished_at IS NULL
          -- Once more: claims of the release before do not wait for the lock.
          AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)
        RETURNING id, endpoint_id, event_id, sequence, attempts, failures
    )
    SELECT taken.*, e.url, e.secret,
        CASE WHEN e.former_secret_expires_at > %(now)s THEN e.former_secret END AS former_secrets,
        v.type, v.occurred_at, v.data
    FROM taken
    JOIN webhook_endpoints e ON e.organization_id = app.current_organization() AND e.id = taken.endpoint_id
    JOIN webhook_events v ON v.organization_id = app.current_organization() AND v.id = taken.event_id
"""
"""Take a delivery for as long as the lease: of the endpoint that has the fewest under way the one that is due first.

None of an endpoint that is busy with several; nor of one that fails, where those that fail are busy with as many
together: whoever does not answer leaves room for who does.
"""

SUCCEED: Final = """
    UPDATE webhook_deliveries
    SET status = 'succeeded', next_attempt_at = NULL, lease_expires_at = NULL, last_status = %(status)s,
        last_error = NULL, response_excerpt = %(excerpt)s, latency_ms = %(latency_ms)s, finished_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND attempts = %(attempts)s
"""
"""Only the attempt that was made last says what came of the delivery."""

END_FAILURES: Final = """
    UPDATE webhook_endpoints SET failing_since = NULL
    WHERE organization_id = app.current_organization() AND id = %(endpoint_id)s AND failing_since IS NOT NULL
"""

BEGIN_FAILURES: Final = """
    UPDATE webhook_endpoints SET failing_since = COALESCE(failing_since, %(now)s)
    WHERE organization_id = app.current_organization() AND id = %(endpoint_id)s AND is_enabled
    RETURNING failing_since
"""
"""Before the delivery's own row, as everybody who holds both; no row where the endpoint is disabled."""

FAIL: Final = """
    UPDATE webhook_deliveries
    SET status = CASE WHEN %(next_attempt_at)s::timestamptz IS NULL THEN 'failed' ELSE 'pending' END,
        failures = failures + 1, next_attempt_at = %(next_attempt_at)s, lease_expires_at = NULL,
        last_status = %(status)s, last_error = %(error)s, response_excerpt = %(excerpt)s, latency_ms = %(latency_ms)s,
        finished_at = CASE WHEN %(next_attempt_at)s::timestamptz IS NULL THEN %(now)s::timestamptz END
    WHERE organization_id = app.current_organization() AND id = %(id)s AND attempts = %(attempts)s
      AND status = 'pending'
"""

POSTPONE: Final = """
    UPDATE webhook_deliveries
    SET next_attempt_at = %(next_attempt_at)s, lease_expires_at = NULL, last_error = %(error)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND attempts = %(attempts)s
      AND status = 'pending'
"""
"""Not a failure of the endpoint's: it is not counted."""

DISABLE: Final = """
    UPDATE webhook_endpoints
    SET is_enabled = false, disabled_reason = %(reason)s, disabled_at = %(now)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(endpoint_id)s AND is_enabled
    RETURNING id
"""

NEXT_DUE: Final = """
    SELECT LEAST(
        (SELECT %(now)s::timestamptz FROM webhook_events
         WHERE organization_id = app.current_organization() AND dispatched_at IS NULL LIMIT 1),
        (SELECT next_attempt_at FROM webhook_deliveries
         WHERE organization_id = app.current_organization() AND status = 'pending' AND lease_expires_at IS NULL
         ORDER BY next_attempt_at LIMIT 1),
        (SELECT min(GREATEST(next_attempt_at, lease_expires_at)) FROM webhook_deliveries
         WHERE organization_id = app.current_organization() AND status = 'pending' AND lease_expires_at IS NOT NULL)
    ) AS due_at
"""
"""When the tenant's next delivery can be sent; NULL: nothing waits."""

PLAN_WAKE: Final = """
    INSERT INTO webhook_wakes AS planned (organization_id, wake_at)
    VALUES (app.current_organization(), %(due_at)s)
    ON CONFLICT (organization_id) DO UPDATE SET wake_at = EXCLUDED.wake_at
    WHERE planned.wake_at <= %(now)s OR planned.wake_at > EXCLUDED.wake_at
    RETURNING wake_at
"""
"""Say that a message is on its way; no row where one is that comes in time."""

FORGET_WAKE: Final = "DELETE FROM webhook_wakes WHERE organization_id = app.current_organization()"
