"""The SQL of passwords, addresses and second factors, one described constant a query, as the authenticator.

It has no tenant: a person may belong to several, and proves who they are before one is known.
"""

# Names of columns, not passwords.
# ruff: noqa: S105

PERSON = """
    SELECT id, email, is_verified, password_hash, mfa_secret, mfa_enabled_at
    FROM users WHERE id = %(user_id)s AND is_active
"""
"""An active person with what proves them."""

LOCK_PERSON = f"{PERSON} FOR NO KEY UPDATE"
"""The same, and nobody else changes it until the transaction ends."""

PERSON_BY_EMAIL = """
    SELECT id, email FROM users WHERE lower(email) = lower(%(email)s) AND is_active
"""
"""The active person with this address."""

PASSWORD_OF = """
    SELECT users.id AS user_id, users.password_hash, users.mfa_enabled_at IS NOT NULL AS mfa_enabled,
           place.organization_id, place.role
    FROM users
    LEFT JOIN LATERAL (
        SELECT memberships.organization_id, memberships.role
        FROM memberships
        JOIN organizations ON organizations.id = memberships.organization_id AND organizations.status = 'active'
        WHERE memberships.user_id = users.id
        ORDER BY memberships.created_at, memberships.organization_id
        LIMIT 1) AS place ON true
    WHERE lower(users.email) = lower(%(email)s) AND users.is_active
"""
"""The active person with this address, in the organization that was joined first; NULL where they belong to none."""

FIRST_MEMBERSHIP = """
    SELECT memberships.organization_id, memberships.user_id, memberships.role
    FROM memberships
    JOIN organizations ON organizations.id = memberships.organization_id AND organizations.status = 'active'
    WHERE memberships.user_id = %(user_id)s
    ORDER BY memberships.created_at, memberships.organization_id
    LIMIT 1
"""
"""The organization that a person joined first."""

ACCEPT_PASSWORD = """
    UPDATE users SET password_hash = COALESCE(%(new_hash)s, password_hash)
    WHERE id = %(user_id)s AND is_active AND password_hash = %(verified)s
"""
"""Take a password for right, and store its hash of today's parameters; no row where it was changed since it was
verified. Locks the person."""

RECORD_LOGIN = "UPDATE users SET last_login = %(now)s WHERE id = %(user_id)s"
"""Note a login."""

SET_PASSWORD = """
    UPDATE users SET password_hash = %(password_hash)s, password_changed_at = %(now)s
    WHERE id = %(user_id)s AND is_active
"""
"""Change the password of an active person."""

VERIFY_EMAIL = """
    UPDATE users SET is_verified = true WHERE id = %(user_id)s AND is_active AND lower(email) = lower(%(email)s)
"""
"""Note that a person proved their address; no row where it is not theirs any more."""

CHANGE_EMAIL = """
    UPDATE users SET email = %(email)s, is_verified = true WHERE id = %(user_id)s AND is_active
"""
"""Give a person the address that they have proved."""

TAKE_CODE = """
    UPDATE users SET mfa_last_step = %(step)s
    WHERE id = %(user_id)s AND is_active AND mfa_secret = %(sealed)s
      AND (mfa_last_step IS NULL OR mfa_last_step < %(step)s)
"""
"""Accept the code of a time step; no row where it, or a later one, was accepted before."""

TAKE_RECOVERY_CODE = """
    UPDATE recovery_codes SET used_at = %(now)s
    WHERE user_id = %(user_id)s AND secret_hash = %(secret_hash)s AND used_at IS NULL
"""
"""Use a recovery code up; no row where there is none."""

ENABLE_MFA = """
    UPDATE users SET mfa_secret = %(sealed)s, mfa_enabled_at = %(now)s, mfa_last_step = %(step)s
    WHERE id = %(user_id)s AND is_active AND mfa_enabled_at IS NULL
"""
"""Switch a second factor on; no row where there is one."""

DISABLE_MFA = """
    UPDATE users SET mfa_secret = NULL, mfa_enabled_at = NULL, mfa_last_step = NULL
    WHERE id = %(user_id)s AND mfa_enabled_at IS NOT NULL
"""
"""Switch the second factor off; no row where there is none."""

REVOKE_KEYS = "UPDATE api_keys SET revoked_at = %(now)s WHERE created_by = %(user_id)s AND revoked_at IS NULL"
"""Revoke a person's API keys, in every organization."""

DELETE_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = %(user_id)s"
"""Forget a person's recovery codes."""

INSERT_RECOVERY_CODE = """
    INSERT INTO recovery_codes (id, user_id, secret_hash) VALUES (%(id)s, %(user_id)s, %(secret_hash)s)
"""
"""Store a recovery code's hash."""

COUNT_TRY_OF_TOKEN = """
    UPDATE user_tokens SET attempts = attempts + 1
    WHERE id = %(id)s AND used_at IS NULL AND attempts < %(most)s
"""
"""Count a try of the token before it is known whether it succeeds; no row where there were enough."""
