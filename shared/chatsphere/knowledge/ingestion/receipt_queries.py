"""SQL of deletions and their receipts."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from typing import Final

COLUMNS: Final = """deletions.id, deletions.bot_id, deletions.document_id, deletions.reason, deletions.status,
    deletions.requested_at, deletions.finished_at, deletions.removed, deletions.left_over, deletions.rechecked_at,
    deletions.late, deletions.object_key, deletions.object_versions, deletions.vector_places, deletions.memory_places"""

TENANT: Final = "deletions.organization_id = app.current_organization()"

OPEN: Final = f"""
    INSERT INTO deletions (id, organization_id, bot_id, document_id, reason, requested_by, api_key_id, requested_at,
                           recheck_at, object_key, object_versions)
    VALUES (app.uuid_v7(), app.current_organization(), %(bot_id)s, %(document_id)s, %(reason)s,
            COALESCE(app.current_actor(), (app.current_origin() ->> 'user_id')::uuid),
            (app.current_origin() ->> 'api_key_id')::uuid, %(now)s, %(recheck_at)s, %(object_key)s,
            %(object_versions)s)
    RETURNING {COLUMNS}
"""
"""Begin a deletion."""

CLAIM: Final = f"""
    UPDATE deletions SET recheck_at = %(recheck_at)s
    WHERE {TENANT} AND bot_id = %(bot_id)s AND document_id IS NOT DISTINCT FROM %(document_id)s
      AND status = 'running'
    RETURNING {COLUMNS}
"""
"""Tell the reaper that somebody is at a running deletion; no row where none runs."""

KEEP_VERSIONS: Final = f"""
    UPDATE deletions SET object_versions = COALESCE(object_versions, %(object_versions)s)
    WHERE {TENANT} AND id = %(id)s
    RETURNING {COLUMNS}
"""
"""Lay down which versions are to go; what was laid down first stays."""

HOLD_REMOVED: Final = f"SELECT removed FROM deletions WHERE {TENANT} AND id = %(id)s FOR UPDATE"
"""What was removed so far, held until the transaction ends."""

WRITE_REMOVED: Final = f"UPDATE deletions SET removed = %(removed)s WHERE {TENANT} AND id = %(id)s"
"""Write what was removed so far."""

FINISH: Final = f"""
    UPDATE deletions
    SET status = 'done', finished_at = %(now)s, left_over = %(left_over)s, recheck_at = %(recheck_at)s,
        object_key = NULL, object_versions = NULL, vector_places = %(vector_places)s, memory_places = %(memory_places)s
    WHERE {TENANT} AND id = %(id)s AND status = 'running'
    RETURNING {COLUMNS}
"""
"""Write the receipt; no row where that was done."""

FINISH_WITH_BOT: Final = f"""
    UPDATE deletions
    SET status = 'done', finished_at = %(now)s, left_over = %(left_over)s, recheck_at = NULL,
        object_key = NULL, object_versions = NULL
    WHERE {TENANT} AND bot_id = %(bot_id)s AND document_id IS NOT NULL AND status = 'running'
"""
"""Write the receipts of documents that were being deleted when their bot was: nothing of them is left, either."""

GET: Final = f"SELECT {COLUMNS} FROM deletions WHERE {TENANT} AND id = %(id)s"
"""One deletion."""

DUE: Final = f"""
    SELECT {COLUMNS} FROM deletions
    WHERE {TENANT} AND id = %(id)s AND status = 'done' AND recheck_at <= %(now)s
    FOR UPDATE
"""
"""A deletion that is done and due for its last look."""

FINISH_RECHECK: Final = f"""
    UPDATE deletions SET recheck_at = NULL, rechecked_at = %(now)s, late = %(late)s, vector_places = NULL,
        memory_places = NULL
    WHERE {TENANT} AND id = %(id)s
"""
"""Note the last look."""

RUNNING_OF_OBJECT: Final = f"""
    SELECT {COLUMNS} FROM deletions
    WHERE {TENANT} AND bot_id = %(bot_id)s AND object_key = %(key)s AND status = 'running'
"""
"""The deletions under way of what was stored under a key."""

# -------------------------------------------------------------------------------------------------- reading

SEES: Final = f"""
    {TENANT} AND (%(only)s::uuid[] IS NULL OR deletions.bot_id = ANY(%(only)s))
      AND ('private' = ANY(%(seen)s) OR deletions.requested_by = %(user_id)s OR EXISTS (
        SELECT FROM bots
        WHERE bots.organization_id = app.current_organization() AND bots.id = deletions.bot_id
          AND bots.status <> 'deleting' AND (bots.visibility = ANY(%(seen)s) OR EXISTS (
            SELECT FROM bot_members
            WHERE bot_members.organization_id = app.current_organization() AND bot_members.bot_id = bots.id
              AND bot_members.user_id = %(user_id)s))))"""
"""Of whom the deletion may be seen: of who sees every bot, of who asked for it, and of who sees its bot, which must
be there. A key for some bots sees no others', whoever made it."""

SEEN: Final = f"SELECT {COLUMNS} FROM deletions WHERE {SEES} AND deletions.id = %(id)s"
"""One deletion, if one may see it."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM deletions
    WHERE {SEES} AND (%(bot_id)s::uuid IS NULL OR deletions.bot_id = %(bot_id)s)
      AND (%(document_id)s::uuid IS NULL OR deletions.document_id = %(document_id)s)
      AND (%(status)s::text IS NULL OR deletions.status = %(status)s)
      AND (%(after)s::uuid IS NULL OR deletions.id < %(after)s)
    ORDER BY deletions.id DESC LIMIT %(limit)s
"""
"""The deletions that one may see, newest first, after a cursor."""
