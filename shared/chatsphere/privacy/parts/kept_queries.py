"""SQL of what every kind of erasure looks at. As the tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

COUNT_ANSWERS: Final = """
    SELECT count(*) AS rows FROM idempotency_keys
    WHERE organization_id = app.current_organization() AND answer IS NOT NULL AND created_at <= %(asked_at)s
"""
"""Answers to keyed requests that are kept for a day, sealed with the request's own key: nobody can tell whose they
are."""

FORGET_ANSWERS: Final = """
    UPDATE idempotency_keys SET answer = NULL, status_code = 410
    WHERE organization_id = app.current_organization() AND (principal_id, key_hash) IN (
        SELECT principal_id, key_hash FROM idempotency_keys
        WHERE organization_id = app.current_organization() AND answer IS NOT NULL AND created_at <= %(asked_at)s
        LIMIT %(limit)s)
"""
"""That the requests were answered stays known: repeated, they are not done again."""

EXPORTS: Final = """
    SELECT id FROM bot_exports
    WHERE organization_id = app.current_organization() AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
      AND status = 'done' AND finished_at <= %(asked_at)s
"""

COUNT_EXPORTS: Final = f"SELECT count(*) AS rows FROM ({EXPORTS}) found"

END_EXPORTS: Final = f"""
    UPDATE bot_exports SET status = 'expired', lease_expires_at = NULL
    WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM ({EXPORTS} LIMIT %(limit)s) found)
"""
"""Their files go; that they were made stays known."""
