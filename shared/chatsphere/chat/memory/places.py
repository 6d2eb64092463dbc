"""Where a bot's memory is, and which model made it."""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.chat.memory import queries
from chatsphere.db.database import Connection
from chatsphere.ports.vectors import Namespace


@dataclass(frozen=True, slots=True)
class MemoryPlace:
    """A memory and its model: nothing in it was made by another one."""

    model: str
    namespace: Namespace


def memory_place(connection: Connection, organization_id: UUID, bot_id: UUID) -> MemoryPlace | None:
    """Return the bot's memory; None where it has none."""
    row = connection.execute(queries.PLACE, {"bot_id": bot_id}).fetchone()
    if row is None:
        return None
    return MemoryPlace(row["model"], Namespace(organization_id, bot_id, row["revision"], row["dimensions"]))
