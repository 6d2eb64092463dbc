"""SQL of endpoints. Row level security already hides other tenants; each query says it again."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

COLUMNS: Final = """id, url, description, event_types, bot_ids, is_enabled, disabled_reason, disabled_at, failing_since,
    CASE WHEN former_secret_expires_at > %(now)s THEN former_secret_expires_at END AS former_secret_expires_at,
    created_at, updated_at"""

COUNT: Final = "SELECT count(*) AS endpoints FROM webhook_endpoints WHERE organization_id = app.current_organization()"

INSERT: Final = f"""
    INSERT INTO webhook_endpoints
        (id, organization_id, url, description, event_types, bot_ids, is_enabled, disabled_reason, disabled_at, secret,
         created_at, updated_at)
    VALUES (%(id)s, app.current_organization(), %(url)s, %(description)s, %(event_types)s, %(bot_ids)s, %(is_enabled)s,
            CASE WHEN NOT %(is_enabled)s THEN 'asked' END, CASE WHEN NOT %(is_enabled)s THEN %(now)s END, %(secret)s,
            %(now)s, %(now)s)
    RETURNING {COLUMNS}
"""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM webhook_endpoints
    WHERE organization_id = app.current_organization() AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's endpoints, newest first, after a cursor."""

GET: Final = f"""
    SELECT {COLUMNS} FROM webhook_endpoints WHERE organization_id = app.current_organization() AND id = %(id)s
"""

HOLD: Final = f"{GET} FOR NO KEY UPDATE"
"""As `GET`; until the transaction ends nobody else changes the endpoint or makes deliveries to it."""

UPDATE: Final = f"""
    UPDATE webhook_endpoints
    SET url = %(url)s, description = %(description)s, event_types = %(event_types)s, bot_ids = %(bot_ids)s,
        is_enabled = %(is_enabled)s, disabled_reason = CASE WHEN NOT %(is_enabled)s
            THEN COALESCE(disabled_reason, 'asked') END,
        disabled_at = CASE WHEN NOT %(is_enabled)s THEN COALESCE(disabled_at, %(now)s) END,
        failing_since = CASE WHEN %(forget_failures)s THEN NULL ELSE failing_since END, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s
    RETURNING {COLUMNS}
"""

ROTATE: Final = f"""
    UPDATE webhook_endpoints
    SET former_secret = CASE WHEN %(former_expires_at)s > %(now)s THEN array_to_string(
            (secret || CASE WHEN former_secret_expires_at > %(now)s THEN string_to_array(former_secret, ' ')
                ELSE ARRAY[]::text[] END)[1:%(most)s], ' ') END,
        former_secret_expires_at = CASE WHEN %(former_expires_at)s > %(now)s
            THEN GREATEST(%(former_expires_at)s, former_secret_expires_at) END,
        secret = %(secret)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s
    RETURNING {COLUMNS}
"""
"""Put another secret in the place of the present one, which signs, too, until the overlap ends; and so do those before
it whose overlap has not ended: who rotates twice, because an answer was lost, cuts nobody off. Sealed texts have no
spaces.
"""

DELETE: Final = "DELETE FROM webhook_endpoints WHERE organization_id = app.current_organization() AND id = %(id)s"

BOTS: Final = """
    SELECT id FROM bots
    WHERE organization_id = app.current_organization() AND id = ANY(%(bot_ids)s) AND status <> 'deleting'
"""
"""Which of these bots the tenant has. Whoever manages webhooks sees all of them."""

END_DELIVERIES: Final = """
    UPDATE webhook_deliveries
    SET status = 'failed', next_attempt_at = NULL, lease_expires_at = NULL, last_error = 'endpoint_disabled',
        finished_at = %(now)s
    WHERE organization_id = app.current_organization() AND endpoint_id = %(id)s AND status = 'pending'
"""
"""Nothing waits for an endpoint that is disabled; what was not sent may be replayed later."""
