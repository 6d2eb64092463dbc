"""A page whose document somebody deleted: no synchronisation brings it back."""

from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.web import sources_queries as queries


def keep_out(connection: Connection, document_id: UUID, now: datetime) -> None:
    """Exclude the pages of a document that is being deleted, if it came from the web.

    To be called where the document is held, and before the bot is.
    """
    values = {"document_id": document_id, "now": now}
    held = connection.execute(queries.HOLD_SOURCES_OF, values).fetchall()
    if held:
        connection.execute(queries.KEEP_OUT, values)
        connection.execute(queries.DROP_PAGE_SOURCES, {"source_ids": [row["id"] for row in held]})
