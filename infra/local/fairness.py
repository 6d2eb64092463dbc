"""Whose message comes next, as Amazon SQS's fair queues decide it (decision 0089); moto knows nothing of it."""

from collections import Counter, deque
from typing import Final

NOISY_SHARE: Final = 0.1
"""Of the messages in flight, or of the recent processing time: who has more is noisy."""

NOISY_IN_FLIGHT: Final = 30
"""Messages in flight below which their share says nothing."""

RECENT_SECONDS: Final = 300.0
"""What is recent. Amazon does not say; so long after a tenant's last message it is quiet again."""

Rank = tuple[int, int]


class Fairness:
    """Keeps account of one queue's groups. Times are seconds of any one clock.

    A message without a group is its own tenant, which is never noisy: it need not be reported.
    """

    def __init__(self) -> None:
        self._received: dict[str, tuple[str, float]] = {}
        self._in_flight: Counter[str] = Counter()
        self._ended: deque[tuple[float, str, float]] = deque()
        self._seconds: Counter[str] = Counter()

    def receive(self, message_id: str, group: str, now: float) -> None:
        """A consumer was given the message."""
        self.settle(message_id, now)
        self._received[message_id] = (group, now)
        self._in_flight[group] += 1

    def settle(self, message_id: str, now: float) -> None:
        """The message was deleted, or may be given to a consumer again; nothing where it is not in flight."""
        if message_id not in self._received:
            return
        group, since = self._received.pop(message_id)
        self._in_flight[group] -= 1
        self._ended.append((now, group, now - since))
        self._seconds[group] += now - since  # type: ignore[assignment]

    def ranks(self, groups: set[str], now: float) -> dict[str, Rank]:
        """Return the rank of each group: the lowest is served first, messages of the same rank in their order.

        Quiet groups come first, then of the noisy ones that with the fewest messages in flight.
        """
        noisy = self._noisy(now)
        return {group: (1, self._in_flight[group]) if group in noisy else (0, 0) for group in groups}

    def _noisy(self, now: float) -> set[str]:
        while self._ended and self._ended[0][0] < now - RECENT_SECONDS:
            _, group, seconds = self._ended.popleft()
            self._seconds[group] -= seconds  # type: ignore[assignment]
        spent: Counter[str] = Counter(self._seconds)
        for group, since in self._received.values():
            spent[group] += now - since  # type: ignore[assignment]
        in_flight, total = sum(self._in_flight.values()), sum(spent.values())
        many = {g for g, n in self._in_flight.items() if n >= NOISY_IN_FLIGHT and n > NOISY_SHARE * in_flight}
        return many | {group for group, seconds in spent.items() if seconds > NOISY_SHARE * total}
