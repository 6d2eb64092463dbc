"""Bringing back what nobody is at in any tenant's memory: for the reaper."""

# Only constants are put together here; every value is a parameter.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.chat.memory.forgetting import AT_A_TIME
from chatsphere.chat.memory.messages import MemoryMessage, MemoryPurgeMessage
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.reap_queries import in_turn
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock

MAX_BOTS: Final = 200
"""Bots of one run."""

MAX_MESSAGES: Final = 20
"""Messages for one bot: a retention run may leave it thousands of deletions."""

DUE_MEMORIES: Final = in_turn(
    "organization_id, bot_id",
    """
    SELECT organization_id, bot_id, min(due_at) AS since FROM (
        SELECT organization_id, bot_id, due_at FROM memory_pending WHERE due_at <= %(now)s
        UNION ALL
        SELECT organization_id, bot_id, due_at FROM bot_memories WHERE due_at <= %(now)s) due
    GROUP BY organization_id, bot_id
    """,
)
"""Bots with messages that nobody embeds, or whose memory does not follow what they are set to."""

DUE_DELETIONS: Final = in_turn(
    "organization_id, bot_id, deletions",
    """
    SELECT organization_id, bot_id, min(due_at) AS since, count(*) AS deletions
    FROM memory_deletions WHERE due_at <= %(now)s
    GROUP BY organization_id, bot_id
    """,
)
"""Bots with something to be deleted from memory, or to be looked for once more."""


@dataclass(frozen=True, slots=True)
class MemoryReviver:
    """Looks across tenants, and sends the messages that get things going again."""

    reaper_database: Database
    embed_queue: MessageQueue
    purge_queue: MessageQueue
    clock: Clock

    def revive(self) -> int:
        """Send a message for each bot that waits, up to a bound; return how many were sent.

        Were one lost, the next run would send it again: nothing is changed here.
        """
        pending = [MemoryMessage(**row) for row in self._find(DUE_MEMORIES)]
        for message in pending:
            self.embed_queue.send([message.to_json()], group=message.group)
        deletions = [(MemoryPurgeMessage(**row), row["deletions"]) for row in self._find(DUE_DELETIONS)]
        for deletion, number in deletions:
            messages = min(-(-number // AT_A_TIME), MAX_MESSAGES)
            self.purge_queue.send([deletion.to_json()] * messages, group=deletion.group)
        if total := len(pending) + len(deletions):
            record(Metric.WORK_REAPED, total)
            logger.info("stalled memory found", bots=len(pending), deletions=len(deletions))
        return total

    def _find(self, query: str) -> list[Mapping[str, Any]]:
        values = {"now": self.clock.now(), "limit": MAX_BOTS}
        with self.reaper_database.transaction(None) as connection:
            return list(connection.execute(query, values).fetchall())
