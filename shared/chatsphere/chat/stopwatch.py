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

    def part(self, name: str, of: str, seconds: float) -> None:
        """Note that some of a stage's time, which may still run, is another one's: its own is the rest."""
        self._stages[name] = self._stages.get(name, 0.0) + seconds
        self._stages[of] = self._stages.get(of, 0.0) - seconds

    def mark(self, name: str) -> None:
        """Note once, as a stage, the time from the beginning until now."""
        self._stages.setdefault(name, self.elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._timer() - self._started

    def split(self) -> dict[str, int]:
        """Return the stages so far and the total, in whole milliseconds."""
        stages = (*self._stages.items(), ("total", self.elapsed))
        return {name: max(0, round(seconds * 1000)) for name, seconds in stages}
