"""Answers that are kept, read again: with the text of their sources as far as the documents still have it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.events import Source
from chatsphere.chat.message_rows import source_of
from chatsphere.db.database import Connection
from chatsphere.db.uuid_time import kept_between
from chatsphere.errors import NotFoundError

ANSWER: Final = """
    SELECT id, bot_id, conversation_id, content, citations, sources, answerable, reason, finish_reason, model,
        prompt_tokens, completion_tokens, COALESCE(embedding_tokens, 0) AS embedding_tokens, cost_microdollars,
        latency_ms, metadata
    FROM messages
    WHERE organization_id = app.current_organization() AND id = %(message_id)s AND role = 'assistant'
      AND created_at >= %(since)s AND created_at < %(until)s
"""

TEXTS: Final = """
    SELECT c.id, c.content, c.char_start, c.char_end
    FROM chunks c
    JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
    WHERE c.organization_id = app.current_organization() AND c.bot_id = %(bot_id)s AND c.id = ANY (%(chunks)s)
"""
"""The text of chunks that readers may see."""

Row = Mapping[str, Any]


def stored_answer(connection: Connection, message_id: UUID) -> Row:
    """Return the answer's message.

    Raises:
        NotFoundError: the tenant has no such answer.
    """
    row = connection.execute(ANSWER, {"message_id": message_id} | kept_between(message_id)).fetchone()
    if row is None:
        raise NotFoundError("There is no such answer.")
    return row


def with_text(connection: Connection, bot_id: UUID, stored: Sequence[Row]) -> tuple[Source, ...]:
    """Return the sources, each with its text where every chunk of it is still there, else without.

    What was deleted, or replaced by another version of its document, does not come back.
    """
    sources = [source_of(row) for row in stored]
    chunks = [chunk for source in sources for chunk in source.chunk_ids]
    rows = connection.execute(TEXTS, {"bot_id": bot_id, "chunks": chunks}).fetchall() if chunks else []
    found = {row["id"]: row for row in rows}
    return tuple(
        source_of(row, _joined([found.get(chunk) for chunk in source.chunk_ids]))
        for row, source in zip(stored, sources, strict=True)
    )


def _joined(chunks: Sequence[Row | None]) -> str:
    """Return the text of consecutive chunks, with white space of the length that parts them in the document."""
    text, end = "", 0
    for chunk in chunks:
        if chunk is None:
            return ""
        gap = chunk["char_start"] - end if text else 0
        text += (" " if gap == 1 else "\n" * gap) + chunk["content"]
        end = chunk["char_end"]
    return text
