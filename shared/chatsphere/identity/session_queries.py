"""The SQL of sessions and their refresh tokens, one described constant a query, as the authenticator.

A session is revoked when its row says so, or is gone. Its refresh tokens are marked as well, and always before it, so
that two who revoke and refresh at once wait for each other in one order.
"""

# Names of columns, not passwords.
# ruff: noqa: S105

INSERT_SESSION = """
    INSERT INTO sessions (id, organization_id, user_id, user_agent, address, created_at, last_used_at, expires_at)
    VALUES (%(id)s, %(organization_id)s, %(user_id)s, app.current_origin() ->> 'user_agent',
            app.current_origin() ->> 'address', %(now)s, %(now)s, %(expires_at)s)
"""
"""Open a session from where the request comes."""

EXTEND_SESSION = """
    INSERT INTO sessions AS session
        (id, organization_id, user_id, user_agent, address, created_at, last_used_at, expires_at)
    VALUES (%(id)s, %(organization_id)s, %(user_id)s, app.current_origin() ->> 'user_agent',
            app.current_origin() ->> 'address', %(now)s, %(now)s, %(expires_at)s)
    ON CONFLICT (id) DO UPDATE
    SET last_used_at = EXCLUDED.last_used_at, expires_at = EXCLUDED.expires_at,
        user_agent = EXCLUDED.user_agent, address = EXCLUDED.address
    WHERE session.revoked_at IS NULL
"""
"""Note a session's use; no row where it was revoked. A login of the release before gets its row here."""

DELETE_ENDED_TOKENS = """
    DELETE FROM refresh_tokens
    WHERE organization_id = %(organization_id)s AND user_id = %(user_id)s AND expires_at < %(now)s
"""
"""Forget a person's refresh tokens that are past their time."""

DELETE_ENDED_SESSIONS = """
    DELETE FROM sessions WHERE user_id = %(user_id)s AND expires_at < %(now)s
"""
"""Forget a person's sessions that are past their time."""

INSERT_REFRESH_TOKEN = """
    INSERT INTO refresh_tokens (id, family_id, organization_id, user_id, secret_hash, created_at, expires_at)
    VALUES (%(id)s, %(family_id)s, %(organization_id)s, %(user_id)s, %(secret_hash)s, %(now)s, %(expires_at)s)
"""
"""Store a refresh token."""

USE_REFRESH_TOKEN = """
    UPDATE refresh_tokens token SET used_at = %(now)s
    FROM users, memberships, organizations
    WHERE token.id = %(id)s AND token.secret_hash = %(secret_hash)s
      AND token.used_at IS NULL AND token.revoked_at IS NULL AND token.expires_at > %(now)s
      AND users.id = token.user_id AND users.is_active
      AND memberships.user_id = token.user_id AND memberships.organization_id = token.organization_id
      AND organizations.id = token.organization_id AND organizations.status = 'active'
    RETURNING token.family_id, token.organization_id, token.user_id, memberships.role
"""
"""Use a refresh token up. Of two at once the second waits for the first's row lock and then finds it used."""

USED_FAMILY = """
    SELECT family_id FROM refresh_tokens
    WHERE id = %(id)s AND secret_hash = %(secret_hash)s AND used_at IS NOT NULL
"""
"""The session of a token that was used before."""

FAMILY = """
    SELECT family_id FROM refresh_tokens WHERE id = %(id)s AND secret_hash = %(secret_hash)s
"""
"""The session of a token."""

REVOKE_TOKENS = """
    UPDATE refresh_tokens SET revoked_at = %(now)s WHERE family_id = %(session_id)s AND revoked_at IS NULL
"""
"""Revoke a session's refresh tokens."""

REVOKE_SESSION = """
    UPDATE sessions SET revoked_at = %(now)s WHERE id = %(session_id)s AND revoked_at IS NULL
"""
"""Revoke a session."""

REVOKE_TOKENS_OF_PERSON = """
    UPDATE refresh_tokens SET revoked_at = %(now)s
    WHERE user_id = %(user_id)s AND revoked_at IS NULL AND family_id IS DISTINCT FROM %(but)s
"""
"""Revoke the refresh tokens of all of a person's sessions but one."""

REVOKE_SESSIONS_OF_PERSON = """
    UPDATE sessions SET revoked_at = %(now)s
    WHERE user_id = %(user_id)s AND revoked_at IS NULL AND id IS DISTINCT FROM %(but)s
"""
"""Revoke all of a person's sessions but one."""

SESSION = """
    SELECT id FROM sessions
    WHERE id = %(id)s AND user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(now)s
"""
"""A person's session, if it is open."""

SESSIONS = """
    SELECT id, organization_id, user_agent, address, created_at, last_used_at, expires_at
    FROM sessions
    WHERE user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > %(now)s
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""A person's open sessions in every organization, newest first, after a cursor."""
