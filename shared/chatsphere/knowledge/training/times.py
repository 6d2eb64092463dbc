"""How long each step of a training run may take, and how often it is tried."""

from datetime import timedelta
from typing import Final

RUN_LEASE: Final = timedelta(minutes=2)
"""From one batch of a run to the next, before what is left is sent again."""

SECOND_LOOK: Final = timedelta(minutes=5)
"""After a revision's vectors were deleted, until they are looked for once more: by then no function that was writing
any runs any more."""

BUDGET_WAIT: Final = timedelta(hours=1)
"""Published: when a run for which the month's budget had no room is tried again."""

MAX_ATTEMPTS: Final = 12
"""Published: a run is taken up so many times without one more batch embedded, then it fails. The reaper comes every
five minutes, so that this is an hour."""

WAVE: Final = 200
"""Batches that are sent to the queue at a time."""
