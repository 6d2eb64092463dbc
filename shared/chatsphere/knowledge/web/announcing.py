"""The row of a page's document, made before there is anything to read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.web import sources_queries as queries
from chatsphere.knowledge.web.urls import WebUrl


def announce_page(
    connection: Connection,
    key: ObjectKey,
    url: WebUrl,
    *,
    document_id: UUID,
    metadata: str | None,
    tags: Sequence[str] | None = None,
    now: datetime,
    deadline: datetime,
) -> dict[str, Any] | None:
    """Make the row of a page's document, or have a failed one wait anew; None where it is being deleted."""
    values = {
        "id": document_id,
        "bot_id": key.bot_id,
        "name": key.name,
        "key": str(key),
        "url": str(url),
        "tags": None if tags is None else list(tags),
        "metadata": metadata or "{}",
        "new_metadata": metadata,
        "now": now,
        "deadline_at": deadline,
    }
    return connection.execute(queries.ANNOUNCE_PAGE, values).fetchone()
