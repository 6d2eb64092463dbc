"""When a delivery that failed is tried again, and when an endpoint is given up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After the first failure, the second, and so on: ten tries within 75 hours and 35 minutes."""

JITTER: Final = 0.2
"""Up to this share is added to each wait, so that what failed together does not come back together."""

GIVEN_UP_AFTER: Final = timedelta(days=3)
"""An endpoint of which every try has failed for so long is disabled."""

OWN_FAULT_WAIT: Final = timedelta(minutes=30)
"""Until what we could not send, by no fault of the endpoint, is looked at again: as often as it takes."""

KEPT_FOR: Final = timedelta(days=30)
"""How long events and their deliveries are kept."""


def next_wait(failures: int, random: Callable[[], float]) -> timedelta | None:
    """Return how long to wait after so many failures (from 1 on), None where it is not tried again.

    `random` gives numbers from 0 to 1.
    """
    if failures > len(WAITS):
        return None
    return WAITS[failures - 1] * (1 + JITTER * random())
