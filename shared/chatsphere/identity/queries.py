"""The SQL of identity, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard.
The queries of the authenticator have no tenant yet: they look for the credential that names it.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "organization_id = app.current_organization()"

# ------------------------------------------------------------------------------------- as the application

INSERT_USER = """
    INSERT INTO users (id, email, password_hash, first_name, last_name, date_joined, last_login)
    VALUES (%(id)s, %(email)s, %(password_hash)s, %(first_name)s, %(last_name)s, %(now)s, %(now)s)
    ON CONFLICT (lower(email)) DO NOTHING
"""
"""Make a user; no row where the mail address is taken."""

PROFILE = f"""
    SELECT users.id, users.email, users.first_name, users.last_name, users.is_verified, users.date_joined,
           users.last_login, users.username, users.mfa_enabled_at IS NOT NULL AS mfa_enabled,
           memberships.role, organizations.id AS organization_id,
           organizations.name AS organization_name, organizations.created_at AS organization_created_at,
           plan.name AS plan
    FROM memberships
    JOIN users ON users.id = memberships.user_id
    JOIN organizations ON organizations.id = memberships.organization_id
    JOIN subscription_plans plan ON plan.id = organizations.plan_id
    WHERE memberships.{TENANT} AND memberships.user_id = %(user_id)s
"""
"""One member of the tenant, with the organization and its plan."""

OWN_NAMES = """
    SELECT first_name, last_name, email FROM users WHERE id = %(user_id)s AND id = app.current_actor()
"""
"""What the actor is called."""

UPDATE_NAMES = """
    UPDATE users
    SET first_name = COALESCE(%(first_name)s, first_name), last_name = COALESCE(%(last_name)s, last_name),
        username = COALESCE(%(username)s, username)
    WHERE id = %(user_id)s AND id = app.current_actor()
"""
"""Change the actor's own names; null leaves a name as it is."""

# ------------------------------------------------------------------------------------ as the authenticator

MEMBER = """
    SELECT memberships.organization_id, memberships.user_id, memberships.role, %(session_id)s::uuid AS session_id
    FROM memberships
    JOIN users ON users.id = memberships.user_id AND users.is_active
    JOIN organizations ON organizations.id = memberships.organization_id AND organizations.status = 'active'
    WHERE memberships.organization_id = %(organization_id)s AND memberships.user_id = %(user_id)s
      AND (%(session_id)s::uuid IS NULL OR EXISTS (
        SELECT FROM sessions
        WHERE sessions.id = %(session_id)s AND sessions.user_id = memberships.user_id
          AND sessions.organization_id = memberships.organization_id AND sessions.revoked_at IS NULL))
"""
"""The membership that an access token names, if its person and organization are active and its session not revoked."""

API_KEY_BY_PREFIX = """
    SELECT api_keys.id, api_keys.organization_id, api_keys.created_by AS user_id, api_keys.secret_hash,
           api_keys.scopes, api_keys.bot_ids, api_keys.expires_at, api_keys.last_used_at, memberships.role
    FROM api_keys
    JOIN users ON users.id = api_keys.created_by AND users.is_active
    JOIN memberships ON memberships.user_id = api_keys.created_by
        AND memberships.organization_id = api_keys.organization_id
    JOIN organizations ON organizations.id = api_keys.organization_id AND organizations.status = 'active'
    WHERE api_keys.prefix = %(prefix)s AND api_keys.revoked_at IS NULL
"""
"""The key with this prefix that is not revoked, with its maker's role."""

TOUCH_API_KEY = "UPDATE api_keys SET last_used_at = %(now)s WHERE id = %(id)s"
"""Note that a key was used."""
