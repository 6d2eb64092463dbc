"""SQL of the delivery log. Row level security already hides other tenants; each query says it again."""

from typing import Final

COLUMNS: Final = """d.id, d.event_id, e.type, e.occurred_at, d.sequence, d.status, d.attempts, d.next_attempt_at,
    d.last_attempt_at, d.last_status, d.last_error, d.latency_ms, d.created_at, d.finished_at"""

_FROM: Final = """
    FROM webhook_deliveries d
    JOIN webhook_events e ON e.organization_id = d.organization_id AND e.id = d.event_id
    WHERE d.organization_id = app.current_organization() AND d.endpoint_id = %(endpoint_id)s"""

PAGE: Final = f"""
    SELECT {COLUMNS} {_FROM}
      AND (%(status)s::text IS NULL OR d.status = %(status)s) AND (%(type)s::text IS NULL OR e.type = %(type)s)
      AND (%(after)s::uuid IS NULL OR d.id < %(after)s)
    ORDER BY d.id DESC LIMIT %(limit)s
"""
"""An endpoint's deliveries, newest first, after a cursor."""

GET: Final = f"SELECT {COLUMNS}, e.data, d.response_excerpt {_FROM} AND d.id = %(id)s"

INSERT_TEST: Final = """
    WITH numbered AS (
        UPDATE webhook_endpoints SET last_sequence = last_sequence + 1
        WHERE organization_id = app.current_organization() AND id = %(endpoint_id)s
        RETURNING last_sequence
    ), told AS (
        INSERT INTO webhook_events (organization_id, id, type, data, occurred_at, dispatched_at)
        VALUES (app.current_organization(), %(event_id)s, 'webhook.test', %(data)s, %(now)s, %(now)s)
    )
    INSERT INTO webhook_deliveries
        (id, organization_id, endpoint_id, event_id, sequence, next_attempt_at, created_at)
    SELECT %(id)s, app.current_organization(), %(endpoint_id)s, %(event_id)s, last_sequence, %(now)s, %(now)s
    FROM numbered
"""
"""An event for one endpoint only. Foreign keys are checked at the statement's end."""

REPLAY_ONE: Final = """
    UPDATE webhook_deliveries
    SET status = 'pending', failures = 0, next_attempt_at = %(now)s, finished_at = NULL
    WHERE organization_id = app.current_organization() AND endpoint_id = %(endpoint_id)s AND id = %(id)s
"""

REPLAY_FAILED: Final = """
    UPDATE webhook_deliveries
    SET status = 'pending', failures = 0, next_attempt_at = %(now)s, finished_at = NULL
    WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE organization_id = app.current_organization() AND endpoint_id = %(endpoint_id)s AND status = 'failed'
          AND created_at >= %(since)s
        ORDER BY id LIMIT %(limit)s FOR UPDATE)
    RETURNING id
"""
"""The oldest of those that have failed, up to a bound."""
