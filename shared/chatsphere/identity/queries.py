"""The SQL of identity, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard.
The queries of the authenticator have no tenant yet: they look for the credential that names it.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608, S105

TENANT = "organization_id = app.current_organization()"

# ------------------------------------------------------------------------------------- as the application

INSERT_ORGANIZATION = """
    INSERT INTO organizations (id, name, plan_id, created_at, updated_at)
    SELECT %(id)s, %(name)s, plan.id, %(now)s, %(now)s FROM subscription_plans plan WHERE plan.name = %(plan)s
"""
"""Make an organization on the plan with this name."""

INSERT_USER = """
    INSERT INTO users (id, email, password_hash, first_name, last_name, date_joined, last_login)
    VALUES (%(id)s, %(email)s, %(password_hash)s, %(first_name)s, %(last_name)s, %(now)s, %(now)s)
    ON CONFLICT (lower(email)) DO NOTHING
"""
"""Make a user; no row where the mail address is taken."""

INSERT_MEMBERSHIP = """
    INSERT INTO memberships (organization_id, user_id, role, created_at)
    VALUES (%(organization_id)s, %(user_id)s, %(role)s, %(now)s)
"""
"""Make a user a member of an organization."""

PROFILE = f"""
    SELECT users.id, users.email, users.first_name, users.last_name, users.is_verified, users.date_joined,
           users.last_login, memberships.role, organizations.id AS organization_id,
           organizations.name AS organization_name, organizations.created_at AS organization_created_at,
           plan.name AS plan
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    JOIN organizations ON organizations.id = memberships.organization_id
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE memberships.{TENANT} AND memberships.user_id = %(user_id)s
"""
"""One member of the tenant, with the organization and its plan."""

UPDATE_NAMES = """
    UPDATE users
    SET first_name = COALESCE(%(first_name)s, first_name), last_name = COALESCE(%(last_name)s, last_name)
    WHERE id = %(user_id)s AND id = app.current_actor()
"""
"""Change the actor's own names; null leaves a name as it is."""

API_KEY_COLUMNS = "id, created_by, name, prefix, scopes, bot_ids, expires_at, last_used_at, created_at"

INSERT_API_KEY = f"""
    INSERT INTO api_keys (organization_id, secret_hash, {API_KEY_COLUMNS})
    VALUES (%(organization_id)s, %(secret_hash)s, %(id)s, %(created_by)s, %(name)s, %(prefix)s, %(scopes)s,
            %(bot_ids)s, %(expires_at)s, NULL, %(now)s)
    RETURNING {API_KEY_COLUMNS}
"""
"""Store a new key."""

API_KEY = f"""
    SELECT {API_KEY_COLUMNS} FROM api_keys WHERE {TENANT} AND id = %(id)s AND revoked_at IS NULL
"""
"""One key that is not revoked."""

API_KEYS = f"""
    SELECT {API_KEY_COLUMNS} FROM api_keys
    WHERE {TENANT} AND revoked_at IS NULL AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's keys, newest first, after a cursor."""

REVOKE_API_KEY = f"""
    UPDATE api_keys SET revoked_at = %(now)s WHERE {TENANT} AND id = %(id)s AND revoked_at IS NULL
"""
"""Revoke a key; no row where there is none."""

KNOWN_BOTS = f"""
    SELECT id FROM bots WHERE {TENANT} AND id = ANY(%(bot_ids)s) AND status <> 'deleting'
"""
"""Which of these bots the tenant has."""

# ------------------------------------------------------------------------------------ as the authenticator

PASSWORD_OF = """
    SELECT users.id AS user_id, users.password_hash, memberships.organization_id, memberships.role
    FROM users
    JOIN memberships ON memberships.user_id = users.id
    WHERE lower(users.email) = lower(%(email)s) AND users.is_active
    ORDER BY memberships.created_at, memberships.organization_id
    LIMIT 1
"""
"""The active user with this mail address, in the organization that was joined first."""

RECORD_LOGIN = """
    UPDATE users SET last_login = %(now)s, password_hash = COALESCE(%(password_hash)s, password_hash)
    WHERE id = %(user_id)s
"""
"""Note a login, and the password's hash where it was made anew."""

INSERT_REFRESH_TOKEN = """
    INSERT INTO refresh_tokens (id, family_id, organization_id, user_id, secret_hash, created_at, expires_at)
    VALUES (%(id)s, %(family_id)s, %(organization_id)s, %(user_id)s, %(secret_hash)s, %(now)s, %(expires_at)s)
"""
"""Store a refresh token."""

USE_REFRESH_TOKEN = """
    UPDATE refresh_tokens token SET used_at = %(now)s
    FROM users, memberships
    WHERE token.id = %(id)s AND token.secret_hash = %(secret_hash)s
      AND token.used_at IS NULL AND token.revoked_at IS NULL AND token.expires_at > %(now)s
      AND users.id = token.user_id AND users.is_active
      AND memberships.user_id = token.user_id AND memberships.organization_id = token.organization_id
    RETURNING token.family_id, token.organization_id, token.user_id, memberships.role
"""
"""Use a refresh token up. Of two at once the second waits for the first's row lock and then finds it used."""

REVOKE_REUSED_FAMILY = """
    UPDATE refresh_tokens SET revoked_at = %(now)s
    WHERE revoked_at IS NULL AND family_id = (
        SELECT family_id FROM refresh_tokens
        WHERE id = %(id)s AND secret_hash = %(secret_hash)s AND used_at IS NOT NULL)
"""
"""Revoke the family of a token that was used before; no row where it was not."""

REVOKE_FAMILY = """
    UPDATE refresh_tokens SET revoked_at = %(now)s
    WHERE revoked_at IS NULL AND family_id = (
        SELECT family_id FROM refresh_tokens WHERE id = %(id)s AND secret_hash = %(secret_hash)s)
"""
"""Revoke a token with all that were made from the same login."""

MEMBER = """
    SELECT memberships.organization_id, memberships.user_id, memberships.role
    FROM memberships
    JOIN users ON users.id = memberships.user_id AND users.is_active
    WHERE memberships.organization_id = %(organization_id)s AND memberships.user_id = %(user_id)s
"""
"""The membership that an access token names, if its user is active."""

API_KEY_BY_PREFIX = """
    SELECT api_keys.id, api_keys.organization_id, api_keys.created_by AS user_id, api_keys.secret_hash,
           api_keys.scopes, api_keys.bot_ids, api_keys.expires_at, api_keys.last_used_at, memberships.role
    FROM api_keys
    JOIN users ON users.id = api_keys.created_by AND users.is_active
    JOIN memberships ON memberships.user_id = api_keys.created_by
        AND memberships.organization_id = api_keys.organization_id
    WHERE api_keys.prefix = %(prefix)s AND api_keys.revoked_at IS NULL
"""
"""The key with this prefix that is not revoked, with its maker's role."""

TOUCH_API_KEY = "UPDATE api_keys SET last_used_at = %(now)s WHERE id = %(id)s"
"""Note that a key was used."""
