"""The SQL of bots, one described constant a query.

Row level security already hides other tenants; `TENANT` says it again, so that neither is the only guard. A bot
that is being deleted exists for nobody but the job that deletes it.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

TENANT = "organization_id = app.current_organization()"
VISIBLE = f"{TENANT} AND status <> 'deleting'"

COLUMNS = """id, organization_id, name, description, avatar, welcome_message, system_prompt, model, temperature,
    visibility, configuration, is_active, status, created_by, created_at, updated_at"""

INSERT = f"""
    INSERT INTO bots (id, organization_id, name, description, avatar, welcome_message, system_prompt, model,
                      temperature, visibility, configuration, created_by, created_at, updated_at)
    VALUES (%(id)s, %(organization_id)s, %(name)s, %(description)s, %(avatar)s, %(welcome_message)s,
            %(system_prompt)s, %(model)s, %(temperature)s, %(visibility)s, %(configuration)s::jsonb,
            %(created_by)s, %(now)s, %(now)s)
    RETURNING {COLUMNS}
"""
"""Make a bot."""

GET = f"SELECT {COLUMNS} FROM bots WHERE {VISIBLE} AND id = %(id)s"
"""One bot."""

GET_LOCKED = f"{GET} FOR UPDATE"
"""One bot, which nobody else may change until the transaction ends."""

PAGE = f"""
    SELECT {COLUMNS} FROM bots
    WHERE {VISIBLE}
      AND (%(only)s::uuid[] IS NULL OR id = ANY(%(only)s)) AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""The tenant's bots, newest first, after a cursor; `only` limits them to these."""

UPDATE = f"""
    UPDATE bots
    SET name = %(name)s, description = %(description)s, avatar = %(avatar)s, welcome_message = %(welcome_message)s,
        system_prompt = %(system_prompt)s, model = %(model)s, temperature = %(temperature)s,
        visibility = %(visibility)s, configuration = %(configuration)s::jsonb, is_active = %(is_active)s,
        updated_at = %(now)s
    WHERE {VISIBLE} AND id = %(id)s
    RETURNING {COLUMNS}
"""
"""Write all that may be changed of a bot."""

MARK_DELETING = f"UPDATE bots SET status = 'deleting', updated_at = %(now)s WHERE {VISIBLE} AND id = %(id)s"
"""Take a bot away from everybody; no row where there is none."""
