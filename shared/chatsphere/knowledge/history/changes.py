"""What changed since a place: complete and in one order, whichever transaction commits first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.history import queries
from chatsphere.knowledge.history.cursor import Cursor
from chatsphere.knowledge.history.status import DocumentState

BATCH: Final = 100
"""Changes of one look."""

DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class Changes:
    """`told`: each change with the place after it. `complete`: nothing else had been committed; `more`: there is more
    to be told at once."""

    told: Sequence[tuple[Cursor, DocumentState]]
    complete: bool
    more: bool


def present(connection: Connection, now: datetime) -> Cursor:
    """Return the place from which on a state that is read later has to be followed."""
    row = connection.execute(queries.HORIZON).fetchone()
    assert row is not None
    return Cursor.before(int(row["settled_before"]), now)


def is_ahead(connection: Connection, cursor: Cursor) -> bool:
    """Return whether the place is one that this database has not come to: it is another database's."""
    row = connection.execute(queries.NEWEST).fetchone()
    assert row is not None
    return cursor.changed_in >= int(row["newest"])


def changes_since(connection: Connection, bot_id: UUID, cursor: Cursor, now: datetime) -> Changes:
    """Return what changed in the bot after the place, up to `BATCH` documents, each in its present state."""
    values = {
        "bot_id": bot_id,
        "changed_in": cursor.changed_in,
        "document_id": cursor.document_id,
        "limit": BATCH,
    }
    rows = connection.execute(queries.CHANGES, values).fetchall()
    told = [(_place(row, now), _state(row, now)) for row in rows if row["is_settled"]]
    return Changes(told, complete=len(told) == len(rows) < BATCH, more=len(told) == BATCH)


def _place(row: Mapping[str, Any], now: datetime) -> Cursor:
    return Cursor(int(row["changed_in"]), row["document_id"], now)


def _state(row: Mapping[str, Any], now: datetime) -> DocumentState:
    if not row["is_deleted"]:
        return DocumentState.of(row)
    gone = {"id": row["document_id"], "status": DELETED, "stage": DELETED, "attempts": 0, "generation": 0}
    return DocumentState.of({**row, **gone, "error_code": None, "updated_at": row["updated_at"] or now})
