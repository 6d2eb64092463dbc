"""Changes of a table that give up soon, for whoever uses the table queues behind them, and are tried again."""

import random
from collections.abc import Callable
from typing import Final, TypeVar

from chatsphere.errors import UnavailableError

TRIES: Final = 5
PAUSE_SECONDS: Final = 2.0
"""Those who queued meanwhile get through; about as long as the change waits for its lock."""

Result = TypeVar("Result")


def trying(change: Callable[[], Result], wait: Callable[[float], None]) -> Result:
    """Return what the change returned at the first time that it could have its lock.

    Raises:
        UnavailableError: it could not at all.
    """
    for _ in range(TRIES - 1):
        try:
            return change()
        except UnavailableError:
            wait(PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - no secret
    return change()
