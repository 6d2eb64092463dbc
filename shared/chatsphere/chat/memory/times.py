"""How long each step of memory may take, and how often it is tried."""

from datetime import timedelta
from typing import Final

PENDING_LEASE: Final = timedelta(minutes=2)
"""From a message claimed to the next who may claim it; twice as long after each failure."""

MOST_DOUBLINGS: Final = 5
"""So that nobody waits for more than about an hour."""

WITHOUT_MODEL: Final = timedelta(hours=1)
"""How long messages wait whose bot's model the deployment does not have at present, or for
which the month's budget has no room."""

MEMORY_LEASE: Final = timedelta(minutes=10)
"""From one step of taking in former conversations to the next, before it is asked for again."""

DELETION_LEASE: Final = timedelta(minutes=1)
"""How long a deletion that shows no sign of life is left alone."""

DELETION_RECHECK: Final = timedelta(minutes=15)
"""From a deletion that found nothing any more to the last look: by then every store shows what was written before."""
