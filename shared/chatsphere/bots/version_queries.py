"""The SQL of bots' versions. A version's `configuration` is the bot as `SNAPSHOT` makes it.

Migration 0004 made the first versions of older bots likewise.
"""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from chatsphere.bots.queries import COLUMNS, TENANT, VISIBLE

VERSIONS_TENANT = "bot_versions.organization_id = app.current_organization()"

SNAPSHOT = """jsonb_build_object('name', bots.name, 'description', bots.description, 'avatar', bots.avatar,
    'welcome_message', bots.welcome_message, 'system_prompt', bots.system_prompt, 'model', bots.model,
    'temperature', bots.temperature, 'configuration', bots.configuration)"""

CATCH_UP = f"""
    UPDATE bots SET version = bots.version + 1
    FROM bot_versions
    WHERE {TENANT} AND bots.id = %(id)s
      AND {VERSIONS_TENANT} AND bot_versions.bot_id = bots.id AND bot_versions.version = bots.version
      AND bot_versions.configuration <> {SNAPSHOT}
    RETURNING bots.version
"""
"""Count a change that was made without a version: by the release before, while this one is being deployed."""

RECORD = f"""
    INSERT INTO bot_versions (organization_id, bot_id, version, configuration, restored_from, created_by, created_at)
    SELECT bots.organization_id, bots.id, bots.version, {SNAPSHOT}, %(restored_from)s, %(by)s, %(at)s
    FROM bots WHERE {TENANT} AND bots.id = %(id)s
    ON CONFLICT (bot_id, version) DO NOTHING
"""
"""Keep the bot as it is under its version's number; nothing where that was done."""

VERSION_COLUMNS = """bot_versions.version, bot_versions.restored_from, bot_versions.created_by,
    bot_versions.created_at"""

PAGE = f"""
    SELECT {VERSION_COLUMNS}
    FROM bot_versions
    WHERE {VERSIONS_TENANT} AND bot_versions.bot_id = %(bot_id)s
      AND (%(before)s::integer IS NULL OR bot_versions.version < %(before)s)
    ORDER BY bot_versions.version DESC LIMIT %(limit)s
"""
"""A bot's versions, newest first."""

GET = f"""
    SELECT {VERSION_COLUMNS}, bot_versions.configuration AS content
    FROM bot_versions
    WHERE {VERSIONS_TENANT} AND bot_versions.bot_id = %(bot_id)s AND bot_versions.version = %(version)s
"""
"""One version of a bot."""

RESTORE = f"""
    UPDATE bots
    SET name = kept.configuration ->> 'name', description = kept.configuration ->> 'description',
        avatar = kept.configuration ->> 'avatar', welcome_message = kept.configuration ->> 'welcome_message',
        system_prompt = kept.configuration ->> 'system_prompt', model = kept.configuration ->> 'model',
        temperature = (kept.configuration ->> 'temperature')::real,
        configuration = kept.configuration -> 'configuration',
        version = bots.version + (kept.configuration <> {SNAPSHOT})::integer, updated_at = %(now)s
    FROM bot_versions kept
    WHERE {VISIBLE} AND bots.id = %(id)s
      AND kept.organization_id = app.current_organization() AND kept.bot_id = bots.id AND kept.version = %(version)s
    RETURNING {COLUMNS}
"""
"""Make the bot what it was, to the letter: settings that were set later are gone."""
