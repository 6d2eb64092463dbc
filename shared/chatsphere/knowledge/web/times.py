"""How long the steps of a synchronisation may take, and how often each is tried."""

from datetime import timedelta
from typing import Final

PICKUP: Final = timedelta(minutes=2)
"""From a message sent until somebody must have taken it up; then the reaper sends it again."""

STEP_LEASE: Final = timedelta(seconds=130)
"""How long a step that shows no sign of life keeps others away: longer than its function may run."""

MAX_DELAY: Final = timedelta(minutes=15)
"""A queue delays a message for no longer."""

TRIES: Final = 3
"""How often a page is tried in one synchronisation, where trying again may help."""

BEGINNINGS: Final = 5
"""How often a page's step is begun, counting those that a crash or an outage of our own ended."""

BACKOFF: Final = timedelta(seconds=30)
"""From the first try to the second; twice as long from each to the next."""

FAILURES_IN_A_ROW: Final = 9
"""Tries without an answer after which a host is taken to be down, and the synchronisation ends."""

LONGEST_SYNC: Final = timedelta(hours=48)
"""A synchronisation that takes longer is cut short."""

REMOVED_AT_ONCE: Final = 50
"""Documents that one step marks as deleted."""
