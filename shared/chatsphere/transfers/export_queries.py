"""SQL of exports. Every statement is bound to the tenant twice: by the row policies and by its own words."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

_EXPORT: Final = "organization_id = app.current_organization() AND id = %(export_id)s"
_HELD: Final = f"{_EXPORT} AND status = 'running' AND lease_token = %(token)s"

COLUMNS: Final = """id, bot_id, status, include, documents_done, documents_total, counts, size, sha256, error_code,
    error_message, created_at, finished_at, expires_at"""

INSERT: Final = f"""
    INSERT INTO bot_exports (id, organization_id, bot_id, status, include, lease_expires_at, created_at)
    VALUES (%(export_id)s, app.current_organization(), %(bot_id)s, 'queued', %(include)s, %(lease_expires_at)s, %(now)s)
    ON CONFLICT (bot_id) WHERE status IN ('queued', 'running') DO NOTHING
    RETURNING {COLUMNS}
"""
"""Ask for an export; no row where the bot is being exported."""

FORGET_OLD: Final = """
    DELETE FROM bot_exports
    WHERE organization_id = app.current_organization() AND status IN ('failed', 'expired') AND id IN (
        SELECT id FROM bot_exports
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
        ORDER BY id DESC OFFSET %(kept)s)
"""
"""Forget exports whose files are gone, but for the newest."""

GET: Final = f"SELECT {COLUMNS} FROM bot_exports WHERE {_EXPORT} AND bot_id = %(bot_id)s"
"""One export of a bot."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM bot_exports
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
"""A bot's exports, newest first."""

CLAIM: Final = f"""
    UPDATE bot_exports
    SET status = 'running', lease_token = %(token)s, lease_expires_at = %(lease_expires_at)s, attempts = attempts + 1,
        documents_done = 0
    WHERE {_EXPORT} AND (status = 'queued' OR (status = 'running' AND lease_expires_at <= %(now)s))
    RETURNING bot_id, include, attempts
"""
"""Take up an export that nobody is at; no row where somebody is, or it has ended."""

PROGRESS: Final = f"""
    UPDATE bot_exports
    SET documents_done = %(done)s, documents_total = %(total)s, lease_expires_at = %(lease_expires_at)s
    WHERE {_HELD}
"""
"""Say how far it is; no row where somebody else has taken over."""

FINISH: Final = f"""
    UPDATE bot_exports
    SET status = 'done', counts = %(counts)s, size = %(size)s, sha256 = %(sha256)s, lease_token = NULL,
        documents_done = documents_total, finished_at = %(now)s, expires_at = %(expires_at)s,
        lease_expires_at = %(expires_at)s
    WHERE {_HELD}
      AND EXISTS (SELECT FROM bots WHERE bots.organization_id = app.current_organization()
                  AND bots.id = bot_exports.bot_id AND bots.status <> 'deleting')
"""
"""The file is there; no row where somebody else has taken over or the bot is gone."""

FAIL: Final = f"""
    UPDATE bot_exports
    SET status = 'failed', error_code = %(code)s, error_message = %(message)s, lease_token = NULL,
        lease_expires_at = NULL, finished_at = %(now)s
    WHERE {_HELD}
"""
"""End an export in vain."""

RELEASE: Final = f"""
    UPDATE bot_exports SET lease_token = NULL, lease_expires_at = %(now)s WHERE {_HELD}
"""
"""Leave an export to whoever comes next."""

DUE_TO_EXPIRE: Final = f"""
    SELECT 1 FROM bot_exports WHERE {_EXPORT} AND status = 'done' AND expires_at <= %(now)s
"""
"""Whether the time of a file is over."""

EXPIRE: Final = f"""
    UPDATE bot_exports SET status = 'expired', lease_expires_at = NULL
    WHERE {_EXPORT} AND status = 'done' AND expires_at <= %(now)s
"""
"""Note that a file was deleted."""

IS_KNOWN: Final = f"SELECT status FROM bot_exports WHERE {_EXPORT}"
"""The status of an export; no row where it went with its bot."""

# ------------------------------------------------------------------------------------------------ its content

BOT: Final = """
    SELECT name, description, avatar, welcome_message, system_prompt, model, round(temperature::numeric, 4)::float8
        AS temperature, configuration, visibility, version
    FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status NOT IN ('deleting', 'importing')
"""
"""What a bot is."""

VERSIONS: Final = """
    SELECT version, restored_from, created_at, configuration AS content FROM bot_versions
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND version > %(after)s
    ORDER BY version LIMIT %(limit)s
"""
"""Some of a bot's versions, the oldest first."""

DOCUMENT_IDS: Final = """
    SELECT id FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'deleting'
      AND live_generation IS NOT NULL AND chunk_count > 0
    ORDER BY id LIMIT %(limit)s
"""
"""The documents that readers see, in the order in which they came."""

DOCUMENT: Final = """
    SELECT id, name, source, url, s3_key, s3_version_id, etag, live_etag, content_type, size, sha256, page_count,
        unread_page_count, language, tags, metadata, chunk_count, live_generation
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status <> 'deleting' AND live_generation IS NOT NULL
"""
"""A document as readers see it."""

CHUNKS: Final = """
    SELECT ordinal, content, heading_path, page_start, page_end, char_start, char_end, token_count, language, vector_id
    FROM chunks
    WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
      AND generation = %(generation)s AND ordinal > %(after)s
    ORDER BY ordinal LIMIT %(limit)s
"""
"""Some of a generation's passages, in the order of the text."""

SETS: Final = """
    SELECT id, name, description FROM evaluation_sets
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
    ORDER BY id
"""
"""A bot's evaluation sets."""

CASES: Final = """
    SELECT id, question, history, expected_answers, relevant_documents, expect_refusal, needs_review
    FROM evaluation_cases
    WHERE organization_id = app.current_organization() AND set_id = %(set_id)s AND source = 'manual'
      AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""
"""Cases that somebody wrote: those copied from conversations hold what end users said, and stay."""
