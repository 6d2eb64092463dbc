"""Sends a tenant's events: makes deliveries of the outbox, tries what is due, and has itself woken for the rest.

Each step is a transaction of its own, and none is open while an endpoint is asked. Killed anywhere, the next run goes
on: an event without deliveries is dispatched then, a try without a result is made again when its lease is over, with
the same `webhook-id`. So each event arrives at least once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock
from chatsphere.ports.vault import SecretBox
from chatsphere.ports.web import WebPoster
from chatsphere.webhooks import dispatch_queries as queries
from chatsphere.webhooks.attempts import NOT_SIGNED, Attempt, Outcome, send
from chatsphere.webhooks.endpoint_queries import END_DELIVERIES
from chatsphere.webhooks.schedule import GIVEN_UP_AFTER, OWN_FAULT_WAIT, next_wait
from chatsphere.webhooks.waking import WakeMessage

LEASE: Final = timedelta(seconds=60)
"""As long as the function may run: whoever took a delivery earlier is gone."""
BATCH: Final = 200
"""Events of one transaction."""
AT_ONCE: Final = 3
"""Tries to one endpoint at a time, fewer than there are senders: a slow one leaves room for the others."""
FAILING_AT_ONCE: Final = 3
"""Tries at a time to all endpoints together whose last try failed: many that are slow leave room, too."""
FLOOR: Final = timedelta(seconds=2)
"""How soon a run may have itself woken: what waits for another worker is not asked for again and again."""
DISPATCHING_SECONDS: Final = 10.0
"""How long a run makes deliveries: where a great many events wait, the first are sent before the last are read."""
SENDING_SECONDS: Final = 35.0
"""When a run begins no further try: with the longest, it ends before the function's time does."""


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One worker. `senders` tries are made at the same time; `random` gives numbers from 0 to 1."""

    database: Database
    poster: WebPoster
    box: SecretBox
    queue: MessageQueue
    clock: Clock
    random: Callable[[], float]
    senders: int = 4

    def run(self, message: WakeMessage) -> None:
        """Send what is due of the tenant's. A message that comes too early is sent on, without the database.

        Raises:
            UnavailableError: the database or the queue does not answer; the message must come again.
        """
        now = self.clock.now()
        if message.wake_at is not None and message.wake_at > now:
            message.send(self.queue, now)
            return
        began = monotonic()
        self.dispatch(message.organization_id, began + DISPATCHING_SECONDS)
        self._send_due(message.organization_id, began + SENDING_SECONDS)
        self._plan_wake(message.organization_id)

    def dispatch(self, organization_id: UUID, until: float) -> None:
        """Make the deliveries of new events, a batch at least, until the monotonic clock says so."""
        more = True
        while more:
            with self.database.transaction(organization_id) as connection:
                connection.execute(queries.HOLD_ENDPOINTS)
                values = {"now": self.clock.now(), "limit": BATCH}
                made = connection.execute(queries.MAKE_DELIVERIES, values).rowcount
            more = made == BATCH and monotonic() < until

    def _send_due(self, organization_id: UUID, until: float) -> None:
        with ThreadPoolExecutor(self.senders) as pool:
            senders = [
                pool.submit(copy_context().run, self._send_some, organization_id, until) for _ in range(self.senders)
            ]
        for sender in senders:
            sender.result()

    def _send_some(self, organization_id: UUID, until: float) -> None:
        while monotonic() < until and (attempt := self._claim(organization_id)) is not None:
            outcome = send(attempt, organization_id, poster=self.poster, box=self.box, now=self.clock.now)
            self._record(organization_id, attempt, outcome)

    def _claim(self, organization_id: UUID) -> Attempt | None:
        now = self.clock.now()
        values = {"now": now, "lease_expires_at": now + LEASE, "at_once": AT_ONCE, "failing_at_once": FAILING_AT_ONCE}
        with self.database.transaction(organization_id, pipelined=True) as connection:
            connection.execute(queries.HOLD_CLAIMS)
            claimed = connection.execute(queries.CLAIM, values)
        row = claimed.fetchone()
        return None if row is None else Attempt(**row)

    def _record(self, organization_id: UUID, attempt: Attempt, outcome: Outcome) -> None:
        now = self.clock.now()
        values = asdict(outcome) | {"id": attempt.id, "endpoint_id": attempt.endpoint_id, "now": now}
        values |= {"attempts": attempt.attempts}
        with self.database.transaction(organization_id) as connection:
            if outcome.error is None:
                connection.execute(queries.END_FAILURES, values)
                connection.execute(queries.SUCCEED, values)
            elif outcome.error == NOT_SIGNED:
                connection.execute(queries.POSTPONE, values | {"next_attempt_at": now + OWN_FAULT_WAIT})
            else:
                self._record_failure(connection, attempt, outcome, values)
        _tell_operators(attempt, outcome)

    def _record_failure(
        self, connection: Connection, attempt: Attempt, outcome: Outcome, values: dict[str, Any]
    ) -> None:
        now: datetime = values["now"]
        endpoint = connection.execute(queries.BEGIN_FAILURES, values).fetchone()
        wait = next_wait(attempt.failures + 1, self.random)
        connection.execute(queries.FAIL, values | {"next_attempt_at": None if wait is None else now + wait})
        if endpoint is None:
            return
        if outcome.status == HTTPStatus.GONE:
            self._disable(connection, attempt, "gone", now)
        elif endpoint["failing_since"] <= now - GIVEN_UP_AFTER:
            self._disable(connection, attempt, "failing", now)

    def _disable(self, connection: Connection, attempt: Attempt, reason: str, now: datetime) -> None:
        values = {"id": attempt.endpoint_id, "endpoint_id": attempt.endpoint_id, "reason": reason, "now": now}
        connection.execute(queries.DISABLE, values)
        connection.execute(END_DELIVERIES, values)

    def _plan_wake(self, organization_id: UUID) -> None:
        """Send a message for when the next delivery is due, unless one is on its way."""
        now = self.clock.now()
        with self.database.transaction(organization_id) as connection:
            row = connection.execute(queries.NEXT_DUE, {"now": now}).fetchone()
            if row is None or row["due_at"] is None:
                return
            due_at = max(row["due_at"], now + FLOOR)
            if connection.execute(queries.PLAN_WAKE, {"due_at": due_at, "now": now}).fetchone() is None:
                return
        try:
            WakeMessage(organization_id=organization_id, wake_at=due_at).send(self.queue, now)
        except UnavailableError:
            with self.database.transaction(organization_id) as connection:
                connection.execute(queries.FORGET_WAKE)
            raise


def _tell_operators(attempt: Attempt, outcome: Outcome) -> None:
    if outcome.error is None:
        record(Metric.WEBHOOKS_DELIVERED)
        return
    record(Metric.WEBHOOKS_FAILED)
    # Without the URL, which may hold a secret of the receiver's.
    logger.warning(
        "webhook not delivered",
        reason=outcome.error,
        status=outcome.status,
        webhook_id=str(attempt.endpoint_id),
        delivery_id=str(attempt.id),
        attempt=attempt.attempts,
    )
