"""SQL of documents as their readers see them. One that is being deleted exists for nobody."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

VISIBLE: Final = """documents.organization_id = app.current_organization() AND documents.bot_id = %(bot_id)s
    AND documents.status <> 'deleting'
    AND EXISTS (SELECT FROM bots WHERE bots.organization_id = app.current_organization()
                AND bots.id = documents.bot_id AND bots.status <> 'deleting')"""

COLUMNS: Final = """documents.id, documents.bot_id, documents.name, documents.source, documents.url,
    documents.status, documents.stage, documents.error_code, documents.error_message, documents.retryable,
    documents.attempts, documents.page_count, documents.unread_page_count, documents.chunk_count,
    documents.token_count, documents.size, documents.sha256, documents.content_type, documents.generation,
    documents.language, documents.tags, documents.metadata, documents.created_at, documents.updated_at,
    documents.ready_at"""

BOT_STATUS: Final = """
    SELECT status FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting'
"""
"""The status of a bot; no row where the tenant has none."""

GET: Final = f"SELECT {COLUMNS} FROM documents WHERE {VISIBLE} AND documents.id = %(document_id)s"
"""One document."""

GET_BY_NAME: Final = f"SELECT {COLUMNS} FROM documents WHERE {VISIBLE} AND documents.s3_key = %(key)s"
"""The document that has this object's key."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM documents
    WHERE {VISIBLE}
      AND (%(after)s::uuid IS NULL OR documents.id < %(after)s)
      AND (%(status)s::text IS NULL OR documents.status = %(status)s)
    ORDER BY documents.id DESC
    LIMIT %(limit)s
"""
"""Documents of a bot, newest first."""

CHUNKS_PAGE: Final = f"""
    SELECT chunks.id, chunks.ordinal, chunks.content, chunks.heading_path, chunks.page_start, chunks.page_end,
           chunks.char_start, chunks.char_end, chunks.token_count
    FROM documents JOIN chunks
      ON chunks.document_id = documents.id AND chunks.generation = documents.live_generation
     AND chunks.organization_id = documents.organization_id
    WHERE {VISIBLE} AND documents.id = %(document_id)s AND chunks.ordinal > %(after)s
    ORDER BY chunks.ordinal
    LIMIT %(limit)s
"""
"""Chunks of the generation that readers see, in the order of the text."""
