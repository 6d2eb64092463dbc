"""What carries messages from one function to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class MessageQueue(Protocol):
    """One queue that a function may send to. Delivery is at least once and in no order."""

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str, delay_seconds: int = 0) -> None:
        """Send JSON objects; `group` (the organization) keeps one tenant from delaying the others.

        Nobody gets them before `delay_seconds`, from 0 to 900, are over.

        Raises:
            UnavailableError: at least one message was not accepted; the caller may send all again.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueLength:
    """About how many messages wait in a queue, and how many in its dead-letter queue; None: that cannot be seen."""

    waiting: int
    dead: int | None = None


class QueueGauges(Protocol):
    """Sees how long queues are."""

    def lengths(self) -> Mapping[str, QueueLength]:
        """Return the length of each queue by its name, each about a minute old.

        Raises:
            UnavailableError: the queues do not answer.
        """
        ...
