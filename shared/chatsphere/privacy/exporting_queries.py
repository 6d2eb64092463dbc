"""SQL of a person's copy of their data, as the authenticator and as this person: row policies show nobody else's.

What the product keeps of secrets, hashes, is no data on a person and left out. Of organizations that the person is no
member of any more it is told what they did there, not what it holds: that is the organization's.
"""

from typing import Final

PROFILE: Final = """
    SELECT id, username, email, first_name, last_name, is_staff, is_active, is_verified, date_joined, last_login,
           mfa_enabled_at, password_changed_at
    FROM users WHERE id = %(user_id)s
"""

SECTIONS: Final = {
    "memberships": """
        SELECT memberships.organization_id, organizations.name AS organization_name, memberships.role,
               memberships.created_at
        FROM memberships JOIN organizations ON organizations.id = memberships.organization_id
        WHERE memberships.user_id = %(user_id)s ORDER BY memberships.created_at
    """,
    "sessions": """
        SELECT id, organization_id, user_agent, address, created_at, last_used_at, expires_at, revoked_at
        FROM sessions WHERE user_id = %(user_id)s ORDER BY id
    """,
    "api_keys": """
        SELECT id, organization_id, name, prefix, scopes, bot_ids, created_at, expires_at, last_used_at, revoked_at
        FROM api_keys WHERE created_by = %(user_id)s ORDER BY id
    """,
    "bots": """
        SELECT bots.id, bots.organization_id, CASE WHEN memberships.user_id IS NOT NULL THEN bots.name END AS name,
               bots.created_at
        FROM bots
        LEFT JOIN memberships ON memberships.organization_id = bots.organization_id
            AND memberships.user_id = bots.created_by
        WHERE bots.created_by = %(user_id)s ORDER BY bots.id
    """,
    "invitations_received": """
        SELECT id, organization_id, email, role, created_at, expires_at, accepted_at, revoked_at
        FROM invitations
        WHERE accepted_by = %(user_id)s
           OR lower(email) = (SELECT lower(email) FROM users WHERE id = %(user_id)s AND is_verified)
        ORDER BY id
    """,
    "invitations_sent": """
        SELECT id, organization_id, email, role, created_at, expires_at, accepted_at, revoked_at
        FROM invitations WHERE invited_by = %(user_id)s ORDER BY id
    """,
    "tokens_mailed": """
        SELECT purpose, created_at, expires_at, used_at FROM user_tokens WHERE user_id = %(user_id)s ORDER BY id
    """,
    "erasures": """
        SELECT id, kind, status, requested_at, finished_at FROM erasures WHERE requested_by = %(user_id)s ORDER BY id
    """,
}
"""Everything that does not grow without end, by its name in the copy."""

# What somebody did, what was done about them, and what they used, newest first: ids are in the order of time.
ACTIVITY: Final = """
    WITH places AS (
        SELECT organization_id FROM memberships WHERE user_id = %(user_id)s
    ), acts AS (
        SELECT id, organization_id, action, object_type, object_id, actor_user_id, actor_api_key_id, address,
               user_agent, CASE WHEN organization_id IN (SELECT organization_id FROM places) THEN before END AS before,
               CASE WHEN organization_id IN (SELECT organization_id FROM places) THEN after END AS after, created_at
        FROM audit_log
        WHERE actor_user_id = %(user_id)s AND (%(last)s::uuid IS NULL OR id < %(last)s)
        ORDER BY id DESC LIMIT %(limit)s
    ), mentions AS (
        SELECT id, organization_id, action, object_type, object_id, actor_user_id, actor_api_key_id, NULL::text,
               NULL::text, before, after, created_at
        FROM audit_log
        WHERE organization_id IN (SELECT organization_id FROM places)
          AND object_type IN ('user', 'membership') AND object_id = %(user_id)s::text
          AND actor_user_id IS DISTINCT FROM %(user_id)s AND (%(last)s::uuid IS NULL OR id < %(last)s)
        ORDER BY id DESC LIMIT %(limit)s
    ), used AS (
        SELECT id, organization_id, api_key_id, bot_id, metric, value, prompt_tokens, completion_tokens,
               cost_microdollars, created_at
        FROM usage_events
        WHERE user_id = %(user_id)s AND (%(last)s::uuid IS NULL OR id < %(last)s)
        ORDER BY id DESC LIMIT %(limit)s
    )
    SELECT id, 'audit' AS kind, to_jsonb(entry) AS record
    FROM (SELECT * FROM acts UNION ALL SELECT * FROM mentions) AS entry
    UNION ALL
    SELECT id, 'usage', to_jsonb(used) FROM used
    ORDER BY id DESC LIMIT %(limit)s
"""
