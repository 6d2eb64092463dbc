"""Transitions that several stages share: a document fails, a generation is dropped, the bot's status follows."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import DocumentError
from chatsphere.knowledge.ingestion.deletion_queries import EARLY_BATCHES
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.system import Ids

HOLD_BOT: Final = """
    SELECT FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s FOR NO KEY UPDATE
"""
"""Hold the bot until the transaction ends: of two documents that finish at once, the second sees the first."""

DERIVED_STATUS: Final = """
    SELECT CASE
        WHEN bool_or(status IN ('registered', 'extracting', 'embedding') AND stage <> 'upload') THEN 'training'
        WHEN bool_or(live_generation IS NOT NULL) THEN 'trained'
        WHEN bool_or(stage = 'upload' AND status = 'registered') THEN 'uploading'
        WHEN bool_or(status = 'failed') THEN 'error'
        ELSE 'draft' END AS status
    FROM documents
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND status <> 'deleting'
"""
"""What a bot's documents make of it."""

REFRESH_BOT_STATUS: Final = f"""
    UPDATE bots SET status = derived.status, updated_at = %(now)s
    FROM ({DERIVED_STATUS}) derived
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s
      AND bots.status NOT IN ('archived', 'deleting', 'importing') AND bots.status <> derived.status
"""
"""Derive a bot's status from its documents. An archived or deleted bot keeps its own."""

RESTORE_BOT: Final = f"""
    UPDATE bots SET status = derived.status, updated_at = %(now)s
    FROM ({DERIVED_STATUS}) derived
    WHERE bots.organization_id = app.current_organization() AND bots.id = %(bot_id)s AND bots.status = 'archived'
"""
"""Give an archived bot the status again that its documents make."""

FAIL_DOCUMENT: Final = f"""
    UPDATE documents
    SET status = 'failed', error_code = %(code)s, error_message = %(message)s, retryable = %(retryable)s,
        lease_token = NULL, lease_expires_at = NULL, deadline_at = NULL, updated_at = %(now)s,
        vector_cleanup_due = CASE WHEN stage = 'embed' OR {EARLY_BATCHES} THEN %(now)s
                                  ELSE vector_cleanup_due END
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status IN ('registered', 'extracting', 'embedding')
    RETURNING bot_id, name, stage, attempts
"""
"""End an unfinished generation. What readers see, a former generation, stays as it is."""

DROP_UNSEEN_CHUNKS: Final = """
    WITH bookmarks AS (
        DELETE FROM extraction_bookmarks
        WHERE organization_id = app.current_organization() AND document_id = %(document_id)s),
    segments AS (
        DELETE FROM lexical_segments
        WHERE organization_id = app.current_organization() AND unseen_document_id = %(document_id)s)
    DELETE FROM chunks
    USING documents d
    WHERE d.organization_id = app.current_organization() AND d.id = %(document_id)s AND chunks.document_id = d.id
      AND chunks.generation IS DISTINCT FROM d.live_generation
"""
"""Drop the chunks of every generation that readers do not see, what the lexical index holds of them, and the place
where the reading of one stopped."""

LOG_ERROR: Final = """
    INSERT INTO error_logs (id, organization_id, bot_id, document_id, service, error_type, message, details, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(document_id)s, 'ingestion', %(code)s, %(message)s,
            jsonb_build_object('name', %(name)s::text, 'stage', %(stage)s::text, 'attempts', %(attempts)s::integer,
                               'generation', %(generation)s::integer), %(now)s)
"""
"""Keep a failure for the organization to read."""


def refresh_bot_status(connection: Connection, bot_id: UUID, now: datetime) -> None:
    """Let the bot's status follow its documents'. To be called last in a transaction: it holds the bot's row."""
    connection.execute(HOLD_BOT, {"bot_id": bot_id})
    connection.execute(REFRESH_BOT_STATUS, {"bot_id": bot_id, "now": now})


def restore_bot_status(connection: Connection, bot_id: UUID, now: datetime) -> None:
    """End a bot's time in the archive; of documents that finish at once, none is missed.

    To be called where the bot's row is held.
    """
    connection.execute(RESTORE_BOT, {"bot_id": bot_id, "now": now})


def fail_document(
    connection: Connection, document_id: UUID, generation: int, error: DocumentError, *, now: datetime, ids: Ids
) -> bool:
    """End an unfinished generation with the error's code; return False where there is nothing to end any more."""
    values = {
        "id": ids.new(),
        "document_id": document_id,
        "generation": generation,
        "code": error.code,
        "message": error.detail,
        "retryable": error.retryable,
        "now": now,
    }
    row = connection.execute(FAIL_DOCUMENT, values).fetchone()
    if row is None:
        return False
    connection.execute(DROP_UNSEEN_CHUNKS, values)
    connection.execute(LOG_ERROR, values | row)
    refresh_bot_status(connection, row["bot_id"], now)
    record(Metric.DOCUMENTS_FAILED, code=error.code)
    logger.warning(
        "document failed",
        document_id=str(document_id),
        generation=generation,
        error_code=error.code,
        stage=row["stage"],
    )
    return True
