"""Deleting from memory what was deleted elsewhere: noted in the same transaction, done in the background, looked for
twice.

PostgreSQL's own vectors go with their conversation; another store's are deleted here, and a write that was under way
when the conversation was deleted is found by the second look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.memory.messages import MemoryPurgeMessage
from chatsphere.chat.memory.times import DELETION_LEASE, DELETION_RECHECK
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.memory_removal import memory_namespaces
from chatsphere.observability import logger
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import Namespace

AT_A_TIME: Final = 50
"""Deletions that one message works off."""

DELETE_CONVERSATION: Final = """
    INSERT INTO memory_deletions (id, organization_id, bot_id, conversation_id, due_at)
    SELECT %(id)s, app.current_organization(), bot_id, %(conversation_id)s, %(now)s
    FROM bot_memories
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""
"""Have a conversation's vectors deleted, where the bot ever had a memory."""

CLAIM: Final = """
    UPDATE memory_deletions SET due_at = %(until)s
    WHERE organization_id = app.current_organization() AND id = ANY (ARRAY(
        SELECT id FROM memory_deletions
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND due_at <= %(now)s
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING id, conversation_id, messages, revision, dimensions, cleaned_at
"""
"""Take over deletions that are due."""

FINISH_FIRST: Final = """
    UPDATE memory_deletions SET cleaned_at = %(now)s, due_at = %(recheck_at)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND cleaned_at IS NULL
"""
"""Note that nothing is left, and look again later."""

FINISH_SECOND: Final = """
    DELETE FROM memory_deletions
    WHERE organization_id = app.current_organization() AND id = %(id)s AND cleaned_at IS NOT NULL
"""
"""The last look has been had."""


def forget_conversation(
    connection: Connection, bot_id: UUID, conversation_id: UUID, deletion_id: UUID, now: datetime
) -> None:
    """Have a conversation's vectors deleted, in the transaction that deletes the conversation.

    A `MemoryPurgeMessage` has it done at once; without one, the reaper has it done later.
    """
    values = {"id": deletion_id, "bot_id": bot_id, "conversation_id": conversation_id, "now": now}
    connection.execute(DELETE_CONVERSATION, values)


@dataclass(frozen=True, slots=True)
class MemoryPurger:
    """Works off `MemoryPurgeMessage`."""

    database: Database
    vectors: MessageVectors
    clock: Clock

    def purge(self, message: MemoryPurgeMessage) -> None:
        """Delete what is due. Doing it again, or at the same time, does no harm.

        Raises:
            UnavailableError: the store does not answer, or does not show yet that the vectors are gone.
        """
        organization_id, bot_id, now = message.organization_id, message.bot_id, self.clock.now()
        values = {"bot_id": bot_id, "now": now, "until": now + DELETION_LEASE, "limit": AT_A_TIME}
        with self.database.transaction(organization_id) as connection:
            due = connection.execute(CLAIM, values).fetchall()
            places = memory_namespaces(connection, organization_id, bot_id)
        for row in due:
            self._delete(message.namespace, row, places)

    def _delete(self, bot: Namespace, row: Mapping[str, Any], places: list[Namespace]) -> None:
        if row["conversation_id"] is None:
            former = Namespace(bot.organization_id, bot.bot_id, row["revision"], row["dimensions"])
            found = self.vectors.delete_namespace(former)
        else:
            messages = row["messages"]
            found = sum(self.vectors.delete_conversation(place, row["conversation_id"], messages) for place in places)
        is_last = row["cleaned_at"] is not None
        if is_last and found:
            logger.warning("found in memory after a deletion", bot_id=str(bot.bot_id), vectors=found)
        now = self.clock.now()
        with self.database.transaction(bot.organization_id) as connection:
            statement = FINISH_SECOND if is_last else FINISH_FIRST
            connection.execute(statement, {"id": row["id"], "now": now, "recheck_at": now + DELETION_RECHECK})
