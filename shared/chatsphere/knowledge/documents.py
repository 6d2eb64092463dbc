"""Documents as their readers see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import BotArchivedError, NotFoundError
from chatsphere.knowledge import documents_queries as queries


@dataclass(frozen=True, slots=True)
class Document:
    """A source of a bot's knowledge. Sizes are in bytes; counts are of the generation that readers see."""

    id: UUID
    bot_id: UUID
    name: str
    source: str
    url: str | None
    status: str
    stage: str
    error_code: str | None
    error_message: str | None
    retryable: bool | None
    attempts: int
    page_count: int | None
    unread_page_count: int | None
    chunk_count: int | None
    token_count: int | None
    size: int | None
    sha256: str | None
    content_type: str | None
    generation: int
    language: str | None
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class DocumentChunk:
    """A passage of a document; offsets are characters of its canonical text, pages count from 1, inclusive."""

    id: UUID
    ordinal: int
    content: str
    heading_path: Sequence[str]
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    token_count: int


def require_bot(connection: Connection, bot_id: UUID) -> None:
    """Raise `NotFoundError` unless the tenant has the bot."""
    _bot_status(connection, bot_id)


def require_open_bot(connection: Connection, bot_id: UUID) -> None:
    """Raise unless the bot takes documents.

    Raises:
        NotFoundError: the tenant has no such bot.
        BotArchivedError: it is archived.
    """
    if _bot_status(connection, bot_id) == "archived":
        raise BotArchivedError("The bot is archived; restore it to add documents.")


def _bot_status(connection: Connection, bot_id: UUID) -> str:
    row = connection.execute(queries.BOT_STATUS, {"bot_id": bot_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such bot.")
    return str(row["status"])


def get_document(connection: Connection, bot_id: UUID, document_id: UUID) -> Document:
    """Return one of a bot's documents.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such document.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "document_id": document_id}).fetchone()
    if row is None:
        require_bot(connection, bot_id)
        raise NotFoundError("There is no such document.")
    return Document(**row)


def find_document(connection: Connection, bot_id: UUID, key: str) -> Document | None:
    """Return the document that has this object's key."""
    row = connection.execute(queries.GET_BY_NAME, {"bot_id": bot_id, "key": key}).fetchone()
    return Document(**row) if row else None


def documents_page(
    connection: Connection, bot_id: UUID, *, status: str | None, after: UUID | None, limit: int
) -> Sequence[Document]:
    """Return documents after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    values = {"bot_id": bot_id, "status": status, "after": after, "limit": limit + 1}
    rows = connection.execute(queries.PAGE, values).fetchall()
    if not rows:
        require_bot(connection, bot_id)
    return [Document(**row) for row in rows]


def chunks_page(
    connection: Connection, bot_id: UUID, document_id: UUID, *, after: int, limit: int
) -> Sequence[DocumentChunk]:
    """Return the document's chunks with ordinals after this one: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such document.
    """
    get_document(connection, bot_id, document_id)
    values = {"bot_id": bot_id, "document_id": document_id, "after": after, "limit": limit + 1}
    return [DocumentChunk(**row) for row in connection.execute(queries.CHUNKS_PAGE, values)]
