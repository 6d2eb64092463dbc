"""A synchronisation begins: asked for by somebody, or due."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.web import sources_queries as queries
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.times import PICKUP
from chatsphere.ports.system import Ids
from chatsphere.ports.vectors import Namespace


def begin_sync(
    connection: Connection,
    namespace: Namespace,
    source_id: UUID,
    *,
    now: datetime,
    ids: Ids,
    document_id: UUID | None = None,
) -> FetchMessage | None:
    """Begin to synchronise; return the message to be sent after the commit, None where nothing begins.

    Nothing does where a synchronisation is under way, and where the bot takes no documents. `document_id` is the
    document of a source of one page, where its row is there.
    """
    values = {"bot_id": namespace.bot_id, "source_id": source_id, "now": now, "lease_expires_at": now + PICKUP}
    row = connection.execute(queries.BEGIN_SYNC, values).fetchone()
    if row is None:
        return None
    kind = "sitemap" if row["kind"] == "sitemap" else "page"
    root = {"id": ids.new(), "page_kind": kind, "url": row["url"], "depth": 0, "document_id": document_id}
    connection.execute(queries.LIST_PAGE, values | root | {"sync": row["sync"]})
    return message_of(namespace, source_id, row)


def message_of(namespace: Namespace, source_id: UUID, row: dict[str, Any]) -> FetchMessage:
    """Return the message that asks for a source's next step."""
    return FetchMessage(
        organization_id=namespace.organization_id,
        bot_id=namespace.bot_id,
        source_id=source_id,
        step=row["step"],
    )
