"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_for(condition: Callable[[], Value], *, what: str, timeout_seconds: float = 120) -> Value:
    """Call `condition` until it returns something true, and return that.

    Raises:
        AssertionError: it did not within the time; says what was waited for.
    """
    deadline = time.monotonic() + timeout_seconds
    pause = 0.02
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_seconds:.0f} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
