"""The SQL of bots, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard. A bot
that is being deleted, or is not whole yet, exists for nobody but the job that deletes or imports it.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "bots.organization_id = app.current_organization()"
VISIBLE = f"{TENANT} AND bots.status NOT IN ('deleting', 'importing')"

COLUMNS = """bots.id, bots.organization_id, bots.name, bots.description, bots.avatar, bots.welcome_message,
    bots.system_prompt, bots.model, bots.temperature, bots.visibility, bots.configuration, bots.is_active, bots.status,
    bots.version, bots.embedding_model, bots.slug, bots.created_by, bots.created_at, bots.updated_at"""

INSERT = f"""
    INSERT INTO bots (id, organization_id, name, slug, description, avatar, welcome_message, system_prompt, model,
                      temperature, visibility, configuration, created_by, created_at, updated_at)
    VALUES (%(id)s, %(organization_id)s, %(name)s, %(slug)s, %(description)s, %(avatar)s, %(welcome_message)s,
            %(system_prompt)s, %(model)s, %(temperature)s, %(visibility)s, %(configuration)s::jsonb,
            %(created_by)s, %(now)s, %(now)s)
    ON CONFLICT (organization_id, slug) DO NOTHING
    RETURNING {COLUMNS}
"""
"""Make a bot; no row where another one has its slug."""

HOLD_SLUG = """
SELECT pg_advisory_xact_lock(hashtextextended('bot slug ' || app.current_organization()::text || %(slug)s, 0))
"""
"""Have others who would make a bot of this slug wait until the transaction ends."""

SLUG_TAKEN = f"SELECT FROM bots WHERE {TENANT} AND bots.slug = %(slug)s AND bots.id <> %(id)s"
"""Whether another bot of the tenant has the slug."""

GET = f"SELECT {COLUMNS} FROM bots WHERE {VISIBLE} AND bots.id = %(id)s"
"""One bot."""

HOLD = f"{GET} FOR NO KEY UPDATE"
"""One bot, which nobody else may change until the transaction ends. Documents may be added to it meanwhile."""

PAGE = f"""
    SELECT {COLUMNS}, bot_members.permission AS granted
    FROM bots
    LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
        AND bot_members.organization_id = app.current_organization()
    WHERE {VISIBLE}
      AND (bots.visibility = ANY(%(seen)s) OR bot_members.permission IS NOT NULL)
      AND (%(only)s::uuid[] IS NULL OR bots.id = ANY(%(only)s)) AND (%(after)s::uuid IS NULL OR bots.id < %(after)s)
    ORDER BY bots.id DESC LIMIT %(limit)s
"""
"""The bots that somebody sees, newest first, after a cursor: those of a visibility that the role sees, and those with
a permission of one's own. `only` limits them to these."""

UPDATE = f"""
    UPDATE bots
    SET name = %(name)s, slug = %(slug)s, description = %(description)s, avatar = %(avatar)s,
        welcome_message = %(welcome_message)s, system_prompt = %(system_prompt)s, model = %(model)s,
        temperature = %(temperature)s, visibility = %(visibility)s, configuration = %(configuration)s::jsonb,
        is_active = %(is_active)s,
        version = version + (
            (name, description, avatar, welcome_message, system_prompt, model, temperature, configuration)
            IS DISTINCT FROM
            (%(name)s, %(description)s, %(avatar)s, %(welcome_message)s, %(system_prompt)s, %(model)s,
             %(temperature)s::real, %(configuration)s::jsonb))::integer,
        updated_at = %(now)s
    WHERE {VISIBLE} AND bots.id = %(id)s
    RETURNING {COLUMNS}
"""
"""Write all that may be changed of a bot; what differs from before makes it the next version."""

SET_STATUS = f"""
    UPDATE bots
    SET status = %(status)s, slug = CASE WHEN %(status)s <> 'deleting' THEN slug END, updated_at = %(now)s
    WHERE {VISIBLE} AND bots.id = %(id)s
    RETURNING {COLUMNS}
"""
"""Archive a bot, or take it away from everybody, which makes its slug free; no row where there is none."""

ANSWERS_ANYBODY = """bots.visibility = 'public' AND bots.is_active
    AND bots.status NOT IN ('archived', 'deleting', 'importing')"""

KEEP_PUBLICATION = f"""
    WITH shown AS (
        INSERT INTO published_bots (bot_id, organization_id, published_at)
        SELECT bots.id, bots.organization_id, %(now)s FROM bots
        WHERE {TENANT} AND bots.id = %(id)s AND {ANSWERS_ANYBODY}
        ON CONFLICT DO NOTHING
    )
    DELETE FROM published_bots
    WHERE published_bots.organization_id = app.current_organization() AND bot_id = %(id)s
      AND NOT EXISTS (SELECT FROM bots WHERE {TENANT} AND bots.id = %(id)s AND {ANSWERS_ANYBODY})
"""
"""Let `published_bots` say what the bot says of itself."""

FIND_PUBLISHED = "SELECT organization_id FROM published_bots WHERE bot_id = %(id)s"
"""Whose bot it is, where anybody may ask it: the one question that is asked without a tenant."""

GET_PUBLIC = f"""
    SELECT {COLUMNS} FROM bots
    JOIN organizations ON organizations.id = bots.organization_id AND organizations.status = 'active'
    WHERE {TENANT} AND bots.id = %(id)s AND {ANSWERS_ANYBODY}
"""
"""One bot, if anybody may ask it."""
