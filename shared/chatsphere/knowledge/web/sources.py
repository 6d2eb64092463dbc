"""Sources and their pages as their readers see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.documents import require_bot
from chatsphere.knowledge.web import sources_queries as queries


@dataclass(frozen=True, slots=True)
class Source:
    """What a bot reads on the web. `pages` counts them by status; `is_complete` is the last synchronisation's."""

    id: UUID
    bot_id: UUID
    kind: str
    url: str
    name: str | None
    max_pages: int
    max_depth: int
    resync_minutes: int | None
    status: str
    is_complete: bool
    error_code: str | None
    error_message: str | None
    pages: Mapping[str, int]
    next_sync_at: datetime | None
    sync_started_at: datetime | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page that a source has found. An excluded one had its document deleted by somebody, and stays away."""

    id: UUID
    url: str
    depth: int
    status: str
    is_excluded: bool
    document_id: UUID | None
    error_code: str | None
    error_message: str | None
    fetched_at: datetime | None
    created_at: datetime
    updated_at: datetime


def get_source(connection: Connection, bot_id: UUID, source_id: UUID) -> Source:
    """Return one of a bot's sources.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such source.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "source_id": source_id}).fetchone()
    if row is None:
        require_bot(connection, bot_id)
        raise NotFoundError("There is no such source.")
    return Source(**row)


def sources_page(connection: Connection, bot_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Source]:
    """Return sources after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    rows = connection.execute(queries.PAGE, {"bot_id": bot_id, "after": after, "limit": limit + 1}).fetchall()
    if not rows:
        require_bot(connection, bot_id)
    return [Source(**row) for row in rows]


def web_pages(
    connection: Connection, bot_id: UUID, source_id: UUID, *, status: str | None, after: UUID | None, limit: int
) -> Sequence[SourcePage]:
    """Return a source's pages after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such source.
    """
    get_source(connection, bot_id, source_id)
    values = {"source_id": source_id, "status": status, "after": after, "limit": limit + 1}
    return [SourcePage(**row) for row in connection.execute(queries.WEB_PAGES, values)]
