"""Where the time of an answer went."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

Timer = Callable[[], float]
"""Seconds on a clock that never goes back."""


class Stopwatch:
    """Splits the time since it was made into named stages, in milliseconds."""

    def __init__(self, timer: Timer = monotonic) -> None:
        self._timer = timer
        self._started = timer()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the block's time to the stage, also when it fails."""
        started = self._timer()
        try:
            yield
        finally:
            self._stages[name] = self._stages.get(name, 0.0) + self._timer() - started

    def mark(self, name: str) -> None:
        """Note once, as a stage, the time from the beginning until now."""
        self._stages.setdefault(name, self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._timer() - self._started

    def split(self) -> dict[str, int]:
        """Return the stages so far and the total, in whole milliseconds."""
        return {name: round(seconds * 1000) for name, seconds in (*self._stages.items(), ("total", self.elapsed))}
