"""Every day: each tenant's run begun, in turn, the one that waited for the longest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import ChatSphereError
from chatsphere.observability import log_failure, logger
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.retention.messages import RetentionMessage
from chatsphere.retention.runs import begin_run

PAGE: Final = 500

BETWEEN: Final = timedelta(hours=20)
"""From one daily run of a tenant to the next, at least: the job itself may be some hours early or late."""

DUE: Final = """
    SELECT o.id FROM organizations o
    LEFT JOIN LATERAL (
        SELECT r.started_at FROM retention_runs r
        WHERE r.organization_id = o.id AND NOT r.dry_run AND r.requested_by IS NULL AND r.bot_id IS NULL
          AND r.started_at <= %(now)s
        ORDER BY r.id DESC LIMIT 1) last ON true
    WHERE o.status = 'active' AND (last.started_at IS NULL OR last.started_at <= %(before)s)
      AND NOT EXISTS (SELECT FROM retention_runs r
                      WHERE r.organization_id = o.id AND r.status = 'running' AND NOT r.dry_run)
    ORDER BY last.started_at NULLS FIRST, o.id LIMIT %(limit)s
"""
"""Tenants without a daily run for a while, and without any that is under way. A run of a time to come was begun by a
clock that was wrong: it keeps nobody from their next.
"""


@dataclass(frozen=True, slots=True)
class DailyRetention:
    """Looks across tenants as the maintainer, begins runs as the tenant with `database`."""

    maintainer_database: Database
    database: Database
    jobs_queue: MessageQueue
    clock: Clock
    ids: Ids

    def begin(self, deadline: datetime) -> int:
        """Begin the run of each tenant that is due, until the deadline; return how many. The next day goes on.

        A message that is lost is sent by the reaper, when the run's lease has expired.
        """
        begun = 0
        while self.clock.now() < deadline:
            tenants = self._due()
            started = sum(self._try_to_begin(tenant) for tenant in tenants if self.clock.now() < deadline)
            begun += started
            if len(tenants) < PAGE or not started:
                break
        logger.info("retention runs begun", runs=begun)
        return begun

    def _due(self) -> list[UUID]:
        now = self.clock.now()
        values = {"now": now, "before": now - BETWEEN, "limit": PAGE}
        with self.maintainer_database.transaction(None) as connection:
            return [row["id"] for row in connection.execute(DUE, values)]

    def _try_to_begin(self, organization_id: UUID) -> bool:
        try:
            with self.database.transaction(organization_id) as connection:
                run = begin_run(connection, self.ids.new(), now=self.clock.now())
            message = RetentionMessage(organization_id=organization_id, retention_run_id=run["id"])
            self.jobs_queue.send([message.to_json()], group=message.group)
        except ChatSphereError as error:
            # One tenant must not keep the others from theirs.
            log_failure(error)
            return False
        return True
