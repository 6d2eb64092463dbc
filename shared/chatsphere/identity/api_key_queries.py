"""The SQL of API keys, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard. `owner` is
whose keys are meant, NULL for everybody's.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "organization_id = app.current_organization()"

COLUMNS = """id, created_by, name, prefix, scopes, bot_ids, expires_at, last_used_at, created_at, requests_per_minute,
    monthly_budget_tokens, monthly_budget_microdollars, rotated_to"""

INSERT = f"""
    INSERT INTO api_keys (organization_id, secret_hash, id, created_by, name, prefix, scopes, bot_ids, expires_at,
                          created_at, requests_per_minute, monthly_budget_tokens, monthly_budget_microdollars)
    VALUES (%(organization_id)s, %(secret_hash)s, %(id)s, %(created_by)s, %(name)s, %(prefix)s, %(scopes)s,
            %(bot_ids)s, %(expires_at)s, %(now)s, %(requests_per_minute)s, %(monthly_budget_tokens)s,
            %(monthly_budget_microdollars)s)
    RETURNING {COLUMNS}
"""
"""Store a new key."""

FOUND = f"{TENANT} AND id = %(id)s AND revoked_at IS NULL AND (%(owner)s::uuid IS NULL OR created_by = %(owner)s)"

GET = f"SELECT {COLUMNS} FROM api_keys WHERE {FOUND}"
"""One key that is not revoked."""

GET_LOCKED = f"{GET} FOR UPDATE"
"""The same, which nobody else may change until the transaction ends."""

PAGE = f"""
    SELECT {COLUMNS} FROM api_keys
    WHERE {TENANT} AND revoked_at IS NULL AND (%(owner)s::uuid IS NULL OR created_by = %(owner)s)
      AND (%(prefix)s::text IS NULL OR starts_with(prefix, %(prefix)s))
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's keys, newest first, after a cursor; of those whose prefix begins like this."""

UPDATE = f"""
    UPDATE api_keys
    SET name = %(name)s, scopes = %(scopes)s, bot_ids = %(bot_ids)s, expires_at = %(expires_at)s,
        requests_per_minute = %(requests_per_minute)s, monthly_budget_tokens = %(monthly_budget_tokens)s,
        monthly_budget_microdollars = %(monthly_budget_microdollars)s
    WHERE {TENANT} AND id = %(id)s
    RETURNING {COLUMNS}
"""
"""Write all that may be changed of a key."""

REPLACE = f"""
    UPDATE api_keys SET rotated_to = %(rotated_to)s, expires_at = LEAST(expires_at, %(last_moment)s)
    WHERE {TENANT} AND id = %(id)s
"""
"""Let another key take a key's place."""

REVOKE = f"UPDATE api_keys SET revoked_at = %(now)s WHERE {FOUND}"
"""Revoke a key; no row where there is none."""

ROLE_OF = f"SELECT role FROM memberships WHERE {TENANT} AND user_id = %(user_id)s"
"""The role of a member: what their keys act with."""

BOTS = """
    SELECT bots.id, bots.visibility, bot_members.permission
    FROM bots
    LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
        AND bot_members.organization_id = app.current_organization()
    WHERE bots.organization_id = app.current_organization() AND bots.id = ANY(%(bot_ids)s)
      AND bots.status <> 'deleting'
"""
"""Which of these bots the tenant has, and what somebody was granted on them."""
