"""The SQL of single-use tokens, one described constant a query, as the authenticator."""

INSERT = """
    INSERT INTO user_tokens (id, user_id, purpose, secret_hash, payload, created_at, expires_at)
    VALUES (%(id)s, %(user_id)s, %(purpose)s, %(secret_hash)s, %(payload)s, %(now)s, %(expires_at)s)
"""
"""Store a token's hash."""

DELETE_EXPIRED = """
    DELETE FROM user_tokens WHERE id IN (
        SELECT id FROM user_tokens WHERE expires_at < %(now)s - interval '1 day'
        ORDER BY expires_at LIMIT 10 FOR UPDATE SKIP LOCKED)
"""
"""Forget some tokens that expired a day ago, never so many that the one who stores another would notice."""

RECENT = """
    SELECT count(*) AS tokens FROM user_tokens
    WHERE purpose = %(purpose)s AND created_at > %(since)s AND (
        user_id = %(user_id)s OR (purpose = 'change_email' AND lower(payload) = lower(%(payload)s)))
"""
"""How many tokens for this a person was given since then, or anybody for the address that is to be theirs."""

FIND = """
    SELECT token.id, token.user_id, token.purpose, token.payload, users.email
    FROM user_tokens token
    JOIN users ON users.id = token.user_id AND users.is_active
    WHERE token.id = %(id)s AND token.secret_hash = %(secret_hash)s AND token.purpose = ANY(%(purposes)s)
      AND token.used_at IS NULL AND token.expires_at > %(now)s
"""
"""A token that may be used now, of an active person."""

USE = """
    UPDATE user_tokens SET used_at = %(now)s WHERE id = %(id)s AND used_at IS NULL AND expires_at > %(now)s
"""
"""Use a token up. Of two at once the second waits for the first's row lock and then finds it used."""

DISCARD = """
    UPDATE user_tokens SET expires_at = created_at - interval '1 hour'
    WHERE user_id = %(user_id)s AND purpose = ANY(%(purposes)s)
"""
"""Make a person's tokens for these purposes worthless. They still count as mailed. Long ago, for clocks differ."""
