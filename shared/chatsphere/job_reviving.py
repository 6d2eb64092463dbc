"""Bringing back jobs of any tenant that nobody is at: for the reaper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chatsphere.db.database import Database
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock
from chatsphere.queue_messages import TenantMessage

MOST: Final = 200
"""Of each query in one run."""


@dataclass(frozen=True, slots=True)
class JobReviver:
    """Looks across tenants with `reaper_database`, and sends the messages that get things going again.

    `stalled` has the queries, each with what its rows are the fields of. They take `now` and `limit`.
    """

    reaper_database: Database
    queue: MessageQueue
    clock: Clock
    stalled: Mapping[str, type[TenantMessage]]

    def revive(self) -> int:
        """Send a message for each job that waits, up to a bound; return how many were sent.

        Were one lost, the next run would send it again: nothing is changed here.
        """
        messages = [message for query, kind in self.stalled.items() for message in self._find(query, kind)]
        for message in messages:
            self.queue.send([message.to_json()], group=message.group)
        if messages:
            record(Metric.WORK_REAPED, len(messages))
            logger.info("stalled jobs found", jobs=len(messages), kinds=sorted({type(m).__name__ for m in messages}))
        return len(messages)

    def _find(self, query: str, kind: type[TenantMessage]) -> Sequence[TenantMessage]:
        values = {"now": self.clock.now(), "limit": MOST}
        with self.reaper_database.transaction(None) as connection:
            return [kind(**row) for row in connection.execute(query, values)]
