"""The SQL of permissions on a bot."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "organization_id = app.current_organization()"

GRANT = f"""
    INSERT INTO bot_members (organization_id, bot_id, user_id, permission, created_at)
    SELECT organization_id, %(bot_id)s, user_id, %(permission)s, %(now)s
    FROM memberships WHERE {TENANT} AND user_id = %(user_id)s
    FOR KEY SHARE
    ON CONFLICT (bot_id, user_id) DO UPDATE SET permission = EXCLUDED.permission
"""
"""Grant a permission in place of the one before; no row where the person is no member. Who is just leaving is waited
for, so that no grant outlives a membership."""

REVOKE = f"DELETE FROM bot_members WHERE {TENANT} AND bot_id = %(bot_id)s AND user_id = %(user_id)s"
"""Take a permission back."""

COLUMNS = """bot_members.user_id, users.email, users.first_name, users.last_name, memberships.role,
    bot_members.permission, bot_members.created_at"""

JOINED = f"""
    SELECT {COLUMNS}
    FROM bot_members
    JOIN memberships ON memberships.organization_id = bot_members.organization_id
        AND memberships.user_id = bot_members.user_id
    JOIN users ON users.id = bot_members.user_id
    WHERE bot_members.{TENANT} AND bot_members.bot_id = %(bot_id)s
"""

GET = f"{JOINED} AND bot_members.user_id = %(user_id)s"
"""One person's permission on a bot."""

PAGE = f"""
    {JOINED} AND (%(after)s::uuid IS NULL OR bot_members.user_id > %(after)s)
    ORDER BY bot_members.user_id LIMIT %(limit)s
"""
"""Who was granted a permission on the bot, in the order of their ids, after a cursor."""
