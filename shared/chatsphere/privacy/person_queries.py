"""SQL of deleting a person, as the eraser, who sees every tenant."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

TELLS_OF_PERSON: Final = """(
    actor_user_id = %(user_id)s AND (
        address IS NOT NULL OR user_agent IS NOT NULL
        OR (object_type = 'api_key' AND (before ? 'name' OR after ? 'name')))
    OR actor_user_id IS NULL AND object_type = 'user' AND object_id = %(user_id)s::text AND (
        address IS NOT NULL OR user_agent IS NOT NULL))"""
"""Whether an entry of the audit log tells of a person beyond the pseudonym: also from where nobody known, most likely
they, tried to log in as them."""

EMAIL: Final = "SELECT email FROM users WHERE id = %(user_id)s"
"""The person's mail address, while there is one."""

PLACES: Final = """
    SELECT organization_id FROM memberships WHERE user_id = %(user_id)s
    UNION SELECT organization_id FROM audit_log WHERE actor_user_id = %(user_id)s
"""
"""The organizations that the person is in, or did something in."""

FORGET_USAGE: Final = """
    UPDATE usage_events SET user_id = NULL
    WHERE id = ANY (ARRAY(SELECT id FROM usage_events WHERE user_id = %(user_id)s LIMIT %(limit)s))
"""
"""Take the person from some rows of what was used: the organization's count stays."""

FORGET_ORIGINS: Final = f"""
    UPDATE audit_log SET address = NULL, user_agent = NULL,
        before = CASE WHEN object_type = 'api_key' THEN before - 'name' ELSE before END,
        after = CASE WHEN object_type = 'api_key' THEN after - 'name' ELSE after END
    WHERE id = ANY (ARRAY(
        SELECT id FROM audit_log WHERE {TELLS_OF_PERSON} LIMIT %(limit)s))
"""
"""Leave of some of the person's entries in other organizations' logs what was done, and an id that is nobody's."""

FORGET_PRINCIPALS: Final = (
    """
    DELETE FROM idempotency_keys WHERE principal_id = %(user_id)s
        OR principal_id IN (SELECT id FROM api_keys WHERE created_by = %(user_id)s)
    """,
    """
    DELETE FROM rate_limits WHERE principal_id = %(user_id)s
        OR principal_id IN (SELECT id FROM api_keys WHERE created_by = %(user_id)s)
    """,
)
"""Delete kept answers and buckets of the person and of their keys."""

FORGET_NAMES: Final = (
    "UPDATE bots SET created_by = NULL WHERE created_by = %(user_id)s",
    "UPDATE bot_versions SET created_by = NULL WHERE created_by = %(user_id)s",
    "UPDATE answers_under_way SET user_id = NULL WHERE user_id = %(user_id)s",
    "UPDATE invitations SET invited_by = NULL WHERE invited_by = %(user_id)s",
    "DELETE FROM invitations WHERE lower(email) = lower(%(email)s) OR accepted_by = %(user_id)s",
    # Of a person's networks, each subject begins with the account's.
    "DELETE FROM credential_throttles WHERE substring(subject FOR 32) = ANY (%(subjects)s)",
)
"""Take the person from what stays the organizations', and delete what only knows their mail address."""

DELETE_USER: Final = "DELETE FROM users WHERE id = %(user_id)s"
"""Delete the person: memberships, sessions, tokens, keys and permissions go with the row."""
