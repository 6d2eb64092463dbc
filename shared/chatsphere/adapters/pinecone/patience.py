"""Waiting for a store whose reads lag behind its writes."""

import time
from collections.abc import Callable
from typing import Final

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0


class Patience:
    """Pauses that grow, until `seconds` are over. The first one takes no time, so that one more look is always had."""

    def __init__(
        self,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._deadline = monotonic() + seconds
        self._next: float | None = None

    def pause(self) -> bool:
        """Wait a little and return True, or return False where the time is over."""
        if self._next is None:
            self._next = _FIRST_PAUSE_SECONDS
            return True
        left = self._deadline - self._monotonic()
        if left <= 0:
            return False
        self._sleep(min(self._next, left))
        self._next = min(2 * self._next, _LONGEST_PAUSE_SECONDS)
        return True
