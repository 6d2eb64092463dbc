"""How long each step of ingestion may take, and how often it is tried."""

from datetime import timedelta
from typing import Final

PICKUP: Final = timedelta(minutes=2)
"""From a message sent until somebody must have taken it up; then it is sent again."""

EXTRACT_LEASE: Final = timedelta(seconds=25)
"""How long an extraction that shows no sign of life keeps others away: less than a message takes, with growing
pauses, to be given up, so that a killed worker's own message brings its work back."""

EXTRACT_TIME: Final = timedelta(seconds=240)
"""How long one extraction may take, less than its function's own limit: the document fails, not the function."""

RENEW_EVERY: Final = timedelta(seconds=5)
"""How often a live extraction renews its lease."""

EMBED_LEASE: Final = timedelta(minutes=2)
"""From one batch embedded to the next, before the missing ones are sent again."""

DELETE_LEASE: Final = timedelta(minutes=1)
"""How long a deletion that shows no sign of life is left alone."""

PURGE_LEASE: Final = timedelta(minutes=5)
"""How long the deletion of a whole bot is left alone."""

CLEANUP_LEASE: Final = timedelta(minutes=1)
"""How long one may take to delete a former generation's vectors; new ones wait for it."""

DEADLINE: Final = timedelta(hours=1)
"""Published: within this time of its registration a document is ready or failed."""

UPLOAD_GRACE: Final = timedelta(minutes=10)
"""How long after its presigned form expired an upload may still be registered: it may have begun in time."""

MAX_ATTEMPTS: Final = 5
"""How often a step is begun before the document fails."""
