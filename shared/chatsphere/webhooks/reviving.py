"""Finds tenants whose deliveries nobody looks after, and clears up what is old."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.failures import public_error
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock
from chatsphere.webhooks.schedule import KEPT_FOR
from chatsphere.webhooks.waking import WakeMessage

MAX_TENANTS: Final = 500
"""Of one look."""
MAX_EVENTS: Final = 5000
"""Of one tenant and look; the rest goes with the next."""

WAITING: Final = """
    SELECT organization_id FROM webhook_events WHERE dispatched_at IS NULL
    UNION
    SELECT organization_id FROM webhook_deliveries
    WHERE status = 'pending' AND next_attempt_at <= %(now)s
      AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)
    LIMIT %(limit)s
"""
"""Tenants with something to send, as the reaper."""

OLD: Final = """
    SELECT DISTINCT organization_id FROM (
        SELECT organization_id FROM webhook_events WHERE occurred_at < %(before)s LIMIT %(events)s) AS old
    LIMIT %(limit)s
"""
"""Tenants with events that are old enough to go, as the reaper."""

PRUNE: Final = """
    DELETE FROM webhook_events
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT id FROM webhook_events
        WHERE organization_id = app.current_organization() AND occurred_at < %(before)s
          -- A month has 31 days, and what is told once in it must be remembered for as long.
          AND (once IS NULL OR occurred_at < %(before)s - interval '5 days')
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
"""Their deliveries go with them."""


@dataclass(frozen=True, slots=True)
class DeliveryReviver:
    """Looks across tenants with `reaper_database`, acts as one tenant with `database`."""

    reaper_database: Database
    database: Database
    queue: MessageQueue
    clock: Clock

    def revive(self) -> int:
        """Send for tenants with something due, up to a bound, and clear up; return how many tenants those were."""
        now = self.clock.now()
        waiting = self._find(WAITING, {"now": now, "limit": MAX_TENANTS})
        for organization_id in waiting:
            self._try_to_wake(organization_id)
        before = now - KEPT_FOR
        for organization_id in self._find(OLD, {"before": before, "limit": MAX_TENANTS, "events": 10 * MAX_EVENTS}):
            self._try_to_prune(organization_id, {"before": before, "limit": MAX_EVENTS})
        return len(waiting)

    def _find(self, query: str, values: dict[str, Any]) -> Sequence[UUID]:
        with self.reaper_database.transaction(None) as connection:
            return [row["organization_id"] for row in connection.execute(query, values)]

    def _try_to_wake(self, organization_id: UUID) -> None:
        try:
            WakeMessage(organization_id=organization_id).send(self.queue, self.clock.now())
        except Exception as error:
            # One tenant must not keep the reaper from all others; this one is found again by the next run.
            public_error(error)

    def _try_to_prune(self, organization_id: UUID, values: dict[str, Any]) -> None:
        try:
            with self.database.transaction(organization_id) as connection:
                connection.execute(PRUNE, values)
        except Exception as error:
            public_error(error)
