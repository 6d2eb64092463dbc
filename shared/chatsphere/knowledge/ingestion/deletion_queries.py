"""SQL of deletion."""

from typing import Final

MARK_DELETED: Final = """
    UPDATE documents
    SET status = 'deleting', stage = 'delete', generation = generation + 1, live_generation = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = NULL,
        s3_key = CASE WHEN %(with_object)s THEN s3_key END, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status <> 'deleting'
      AND EXISTS (SELECT FROM bots
                  WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status <> 'deleting')
    RETURNING id
"""
"""Hide a document from everybody at once, and fence off work on it. Without a key its object is left alone."""

MARK_ALL_DELETED: Final = """
    UPDATE documents
    SET status = 'deleting', stage = 'delete', generation = generation + 1, live_generation = NULL,
        lease_token = NULL, lease_expires_at = %(lease_expires_at)s, deadline_at = NULL, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'deleting'
"""
"""The same for every document of a bot."""

DELETING_DOCUMENT: Final = """
    UPDATE documents SET lease_expires_at = %(lease_expires_at)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status = 'deleting'
    RETURNING s3_key
"""
"""The key of a document that is being deleted; the reaper is told that somebody is at it."""

DELETE_CHUNKS: Final = """
    WITH gone AS (
        DELETE FROM chunks
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s
        RETURNING 1)
    SELECT count(*) AS chunks FROM gone
"""
"""Delete a document's chunks and count them."""

DELETE_DOCUMENT_ROW: Final = """
    DELETE FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND status = 'deleting'
"""
"""Delete the document itself; what else hangs on it goes with it."""

# ------------------------------------------------------------------------------------------------- vectors

VECTORS_LEFT: Final = """
    CASE WHEN vector_cleanup_due > %(now)s THEN vector_cleanup_due + interval '1 microsecond' ELSE %(now)s END"""
"""Says in `vector_cleanup_due` that there are vectors to delete which a deletion under way may not have met: that
one goes on, but no longer counts as the last."""

CLAIM_CLEANUP: Final = """
    UPDATE documents SET vector_cleanup_due = %(until)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(document_id)s
      AND vector_cleanup_due <= %(now)s AND status IN ('ready', 'failed')
    RETURNING live_generation
"""
"""Take over the deletion of former vectors; not while a generation is under way, whose vectors would go too."""

FINISH_CLEANUP: Final = """
    UPDATE documents SET vector_cleanup_due = NULL
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND vector_cleanup_due = %(until)s
"""
"""Note that no former vectors are left, unless somebody else has taken over."""

# ---------------------------------------------------------------------------------------------------- bots

HOLD_DELETING_BOT: Final = """
    UPDATE bots SET updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s AND status = 'deleting'
    RETURNING id
"""
"""Tell the reaper that somebody is deleting the bot; no row where it is not to be deleted."""

NEXT_DOCUMENTS: Final = """
    SELECT id, s3_key FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
    ORDER BY id LIMIT %(limit)s
"""
"""Some documents of a bot."""

DELETE_CONVERSATIONS: Final = """
    DELETE FROM conversations
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT id FROM conversations
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
        LIMIT %(limit)s)
"""
"""Delete some conversations of a bot, with their messages."""

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
