"""Making a bot's memory anew from its messages, where the vector store has lost it."""

# Only constants are put together here; every value is a parameter.

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.bots.configuration import BotConfiguration
from chatsphere.chat.memory import queries
from chatsphere.chat.memory.times import MEMORY_LEASE
from chatsphere.db.database import Connection
from chatsphere.ports.embedding import EmbeddingModel
from chatsphere.ports.system import Ids

CHARACTERS_OF_TOKEN: Final = 4
"""About so many of most languages: messages are not counted before they are embedded."""

SAID: Final = """
    SELECT count(*) AS messages, COALESCE(sum(length(content)), 0)::bigint AS characters
    FROM messages
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
      AND role IN ('user', 'assistant') AND content ~ '\\S'
"""
"""How much there is to remember."""

LEFT: Final = """
    SELECT (SELECT count(*) FROM memory_pending
            WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s)
        + (SELECT count(*) FROM bot_memories memory
           JOIN messages ON messages.organization_id = memory.organization_id AND messages.bot_id = memory.bot_id
               AND messages.conversation_id < memory.remaining_before
           WHERE memory.organization_id = app.current_organization() AND memory.bot_id = %(bot_id)s
             AND messages.role IN ('user', 'assistant') AND messages.content ~ '\\S') AS messages
"""
"""How many messages are not embedded yet."""


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What it would take to make a memory anew. Tokens are estimated by the length of the messages."""

    messages: int
    tokens: int


def estimate_memory(connection: Connection, bot_id: UUID) -> MemoryEstimate:
    """Return what there is to be embedded; nothing of a bot that has no memory."""
    held = connection.execute(queries.HOLD, {"bot_id": bot_id}).fetchone()
    if held is None or not BotConfiguration.stored(held["configuration"]).memory:
        return MemoryEstimate(0, 0)
    row = connection.execute(SAID, {"bot_id": bot_id}).fetchone()
    assert row is not None
    return MemoryEstimate(row["messages"], -(-row["characters"] // CHARACTERS_OF_TOKEN))


def rebuild_memory(connection: Connection, bot_id: UUID, model: EmbeddingModel, *, ids: Ids, now: datetime) -> bool:
    """Begin the bot's memory anew, with all that was ever said ahead of it; return whether it has one.

    What the store still has of the former one is deleted. Until it is whole, less is recalled.
    """
    held = connection.execute(queries.HOLD, {"bot_id": bot_id}).fetchone()
    if held is None or not BotConfiguration.stored(held["configuration"]).memory:
        return False
    if held["model"] is not None:
        place = {"revision": held["revision"], "dimensions": held["dimensions"]}
        connection.execute(queries.DELETE_REVISION, place | {"id": ids.new(), "bot_id": bot_id, "now": now})
    values = {"bot_id": bot_id, "model": model.name, "dimensions": model.dimensions, "due_at": now + MEMORY_LEASE}
    connection.execute(queries.BEGIN, values)
    return True


def memory_left(connection: Connection, bot_id: UUID) -> int:
    """Return how many messages of the bot are not embedded yet."""
    row = connection.execute(LEFT, {"bot_id": bot_id}).fetchone()
    return 0 if row is None else int(row["messages"])
