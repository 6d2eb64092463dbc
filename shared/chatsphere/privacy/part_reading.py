"""A tenant's erasures of its parts, as it sees them."""

from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.privacy import part_requesting_queries as queries
from chatsphere.privacy.model import Erasure


def erasures_page(
    connection: Connection, *, kind: str | None, status: str | None, after: UUID | None, limit: int
) -> list[Erasure]:
    """Return erasures after a cursor, the newest first: `limit`, and one more if there are."""
    values = {"kind": kind, "status": status, "after": after, "limit": limit + 1}
    return [Erasure(**row) for row in connection.execute(queries.PAGE, values)]


def get_erasure(connection: Connection, erasure_id: UUID) -> Erasure:
    """Return one of the tenant's erasures.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(queries.GET, {"id": erasure_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such erasure.")
    return Erasure(**row)
