"""The messages that have a tenant's deliveries looked after, and who sends the first."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from chatsphere.failures import public_error
from chatsphere.ports.queues import MessageQueue
from chatsphere.queue_messages import TenantMessage

LONGEST_DELAY: Final = timedelta(seconds=900)
"""As long as a queue keeps a message back."""


class WakeMessage(TenantMessage):
    """Look after a tenant's deliveries; not before `wake_at`, where that is given."""

    wake_at: AwareDatetime | None = None

    def send(self, queue: MessageQueue, now: datetime) -> None:
        """Send the message so that it comes when it is time, or as late as the queue can: then it is sent again.

        Raises:
            UnavailableError: the queue did not take it.
        """
        wait = min(max(timedelta(), (self.wake_at or now) - now), LONGEST_DELAY)
        queue.send([self.to_json()], group=self.group, delay_seconds=ceil(wait.total_seconds()))


def wake(queue: Callable[[], MessageQueue], organizations: Iterable[UUID]) -> None:
    """Have these tenants' new events delivered. What cannot be sent is found by the reaper: it is no failure here."""
    for organization_id in organizations:
        try:
            queue().send([{"organization_id": str(organization_id)}], group=str(organization_id))
        except Exception as error:
            public_error(error)
