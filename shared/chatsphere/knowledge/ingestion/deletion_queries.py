"""SQL of deletion."""

from typing import Final

KEY_OF_DOCUMENT: Final = """
    SELECT s3_key FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status <> 'deleting'
"""
"""Where a document's object is."""

HOLD_TO_DELETE: Final = """
    SELECT s3_key, s3_version_id, etag FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status <> 'deleting'
      AND EXISTS (SELECT FROM bots
                  WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting')
    FOR UPDATE
"""
"""A document that may be deleted, and its object; held until the transaction ends."""

MARK_DELETED: Final = """
    UPDATE documents
    SET status = 'deleting', stage = 'delete', generation = generation + 1, live_generation = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = NULL,
        s3_key = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
"""
"""Hide a document from everybody at once, and fence off work on it. Its key is free for another document."""

MARK_ALL_DELETED: Final = """
    UPDATE documents
    SET status = 'deleting', stage = 'delete', generation = generation + 1, live_generation = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'deleting'
"""
"""The same for every document of a bot."""

EXTEND_DELETING: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status = 'deleting'
    RETURNING s3_key,
        EXISTS (SELECT FROM bots
                WHERE organization_id = app.current_organization() AND id = %(bot_id)s
                  AND status = 'deleting') AS goes_with_bot
"""
"""Tell the reaper that somebody is at a document that is being deleted; no row where it is not."""

DELETE_SOME_CHUNKS: Final = """
    DELETE FROM chunks
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = ANY (ARRAY(
        SELECT id FROM chunks
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
        LIMIT %(limit)s))
"""
"""Delete some of a document's chunks."""

COUNT_DOCUMENT_LEFT: Final = """
    SELECT
        (SELECT count(*) FROM documents
         WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
           AND id = %(document_id)s) AS documents,
        (SELECT count(*) FROM chunks
         WHERE organization_id = app.current_organization() AND document_id = %(document_id)s) AS chunks,
        (SELECT count(*) FROM lexical_chunks l JOIN chunks c ON c.id = l.chunk_id
         WHERE c.organization_id = app.current_organization() AND c.document_id = %(document_id)s) AS lexical_entries
"""
"""The second look: what is left of a document in the database."""

DELETE_DOCUMENT_ROW: Final = """
    DELETE FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status = 'deleting'
"""
"""Delete the document itself; what else hangs on it goes with it."""

# ------------------------------------------------------------------------------------------------- vectors

EARLY_BATCHES: Final = """
    EXISTS (SELECT FROM extraction_bookmarks b WHERE b.document_id = documents.id AND b.batch_count > 1)"""
"""Whether batches of a document may have been embedded while it is still read."""

CLAIM_CLEANUP: Final = """
    UPDATE documents SET vector_cleanup_due = %(until)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND vector_cleanup_due <= %(now)s AND status IN ('ready', 'failed')
    RETURNING live_generation, generation
"""
"""Take over the deletion of former vectors. No generation is under way: none up to `generation` but the live one
will ever be shown."""

FINISH_CLEANUP: Final = """
    UPDATE documents SET vector_cleanup_due = NULL
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND vector_cleanup_due = %(until)s
"""
"""Note that no former vectors are left, unless somebody else has taken over, or more of them were noted since."""

# ---------------------------------------------------------------------------------------------------- bots

HOLD_DELETING_BOT: Final = """
    UPDATE bots SET updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status = 'deleting'
    RETURNING id
"""
"""Tell the reaper that somebody is deleting the bot; no row where it is not to be deleted."""

DELETE_SOME_BOT_CHUNKS: Final = """
    DELETE FROM chunks
    WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(
        SELECT id FROM chunks
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s LIMIT %(chunks)s))
"""
"""Delete some of a bot's chunks."""

DELETE_SOME_DOCUMENTS: Final = """
    DELETE FROM documents
    WHERE organization_id = app.current_organization() AND status = 'deleting' AND id = ANY (ARRAY(
        SELECT id FROM documents
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s LIMIT %(limit)s))
"""
"""Delete some of a bot's documents, which hold no chunks any more."""

DELETE_SOME_CONVERSATIONS: Final = """
    WITH chosen AS (
        SELECT id FROM conversations
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s LIMIT %(limit)s),
    counted AS (
        SELECT count(*) AS messages FROM messages
        WHERE organization_id = app.current_organization() AND conversation_id IN (SELECT id FROM chosen)),
    gone AS (
        DELETE FROM conversations
        WHERE organization_id = app.current_organization() AND id IN (SELECT id FROM chosen) RETURNING 1)
    SELECT (SELECT count(*) FROM gone) AS conversations, (SELECT messages FROM counted) AS messages
"""
"""Delete some conversations of a bot, with their messages, and count both."""

TABLES_OF_BOTS: Final = """
    SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND confrelid = 'bots'::regclass AND confdeltype = 'c'
    ORDER BY 1
"""
"""The tables whose rows go with a bot's, as the catalog knows them: a new one cannot be forgotten."""

DELETE_BOT: Final = """
    DELETE FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status = 'deleting'
"""
"""Delete the bot's row."""

COUNT_LEFT: Final = """
    SELECT
        (SELECT count(*) FROM documents
         WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s) AS documents,
        (SELECT count(*) FROM chunks
         WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s) AS chunks,
        (SELECT count(*) FROM conversations
         WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s) AS conversations
"""
"""The second look: what is left of a bot."""
