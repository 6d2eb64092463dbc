"""Brings back sources that nobody is at, and begins the synchronisations that are due."""

from dataclasses import dataclass
from typing import Any, Final

from chatsphere.db.database import Database
from chatsphere.knowledge.web.beginning import begin_sync
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.times import PICKUP
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import describe

MAX_SOURCES: Final = 200
"""Of one run, of each kind."""

STALLED: Final = """
    SELECT organization_id, bot_id, id AS source_id, step
    FROM web_sources
    WHERE status IN ('syncing', 'deleting') AND lease_expires_at <= %(now)s
    ORDER BY row_number() OVER (PARTITION BY organization_id ORDER BY lease_expires_at), lease_expires_at
    LIMIT %(limit)s
"""
"""Sources whose next step nobody makes, of every tenant in turn."""

DUE: Final = """
    SELECT organization_id, bot_id, id AS source_id, step
    FROM web_sources
    WHERE status IN ('synced', 'failed') AND next_sync_at <= %(now)s
      AND EXISTS (SELECT FROM bots WHERE bots.id = web_sources.bot_id AND bots.status NOT IN ('archived', 'deleting'))
    ORDER BY row_number() OVER (PARTITION BY organization_id ORDER BY next_sync_at), next_sync_at
    LIMIT %(limit)s
"""
"""Sources that are to be synchronised again, of every tenant in turn; an archived bot's wait until it is restored."""

REVIVE: Final = """
    UPDATE web_sources SET lease_token = NULL, lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND id = %(source_id)s
      AND status IN ('syncing', 'deleting') AND lease_expires_at <= %(now)s
    RETURNING step
"""
"""Take the lease from a worker that shows no sign of life; no row where somebody has taken up the step."""


@dataclass(frozen=True, slots=True)
class SourceReviver:
    """Looks across tenants with `reaper_database`, acts as one tenant with `database`."""

    reaper_database: Database
    database: Database
    fetch_queue: MessageQueue
    clock: Clock
    ids: Ids

    def revive(self) -> int:
        """Send for what has stalled or is due, up to a bound; return how many sources that concerned."""
        stalled = [FetchMessage(**row) for row in self._find(STALLED)]
        due = [FetchMessage(**row) for row in self._find(DUE)]
        for message in stalled:
            self._try(message, is_due=False)
        for message in due:
            self._try(message, is_due=True)
        if stalled or due:
            record(Metric.WORK_REAPED, len(stalled))
            logger.info("web sources sent for", stalled=len(stalled), due=len(due))
        return len(stalled) + len(due)

    def _find(self, query: str) -> list[dict[str, Any]]:
        with self.reaper_database.transaction(None) as connection:
            return connection.execute(query, {"now": self.clock.now(), "limit": MAX_SOURCES}).fetchall()

    def _try(self, message: FetchMessage, *, is_due: bool) -> None:
        try:
            following = self._begin(message) if is_due else self._resume(message)
            if following is not None:
                self.fetch_queue.send([following.to_json()], group=following.group)
        except Exception as error:
            # One source must not keep the others waiting; it is found again by the next run.
            logger.error("web source not sent for", source_id=str(message.source_id), **describe(error))

    def _begin(self, message: FetchMessage) -> FetchMessage | None:
        with self.database.transaction(message.organization_id) as connection:
            return begin_sync(connection, message.namespace, message.source_id, now=self.clock.now(), ids=self.ids)

    def _resume(self, message: FetchMessage) -> FetchMessage | None:
        now = self.clock.now()
        values = message.model_dump() | {"now": now, "lease_expires_at": now + PICKUP}
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(REVIVE, values).fetchone()
        return None if row is None else message.model_copy(update={"step": row["step"]})
