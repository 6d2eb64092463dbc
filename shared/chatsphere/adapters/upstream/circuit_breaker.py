"""A circuit breaker: after failures in a row, nobody waits for a vendor that does not answer anyway."""

import time
from collections.abc import Callable
from threading import Lock

from chatsphere.errors import ProviderOverloadedError


class CircuitBreaker:
    """Counts failures in a row, over all threads of a process.

    At `failures` it opens: for `seconds` every try is refused. Then one try is let through and the others are
    refused for as long again; if the trial succeeds the circuit closes. A trial that never reports costs its
    `seconds` and no more.
    """

    def __init__(
        self, name: str, *, failures: int, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._limit = failures
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._in_a_row = 0
        self._refused_until = 0.0

    def admit(self) -> None:
        """Return if a try may be made.

        Raises:
            ProviderOverloadedError: the circuit is open.
        """
        with self._lock:
            if self._in_a_row < self._limit:
                return
            now = self._monotonic()
            if now < self._refused_until:
                raise ProviderOverloadedError(f"{self._name} failed repeatedly and is left alone for a moment.")
            self._refused_until = now + self._seconds

    def succeeded(self) -> None:
        """The vendor answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """The vendor did not answer, or asked for fewer calls."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._limit:
                self._refused_until = self._monotonic() + self._seconds
