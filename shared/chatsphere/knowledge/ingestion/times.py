"""How long each step of ingestion may take, and how often it is tried."""

from datetime import timedelta
from typing import Final

PICKUP: Final = timedelta(minutes=2)
"""From a message sent until somebody must have taken it up; then it is sent again."""

EXTRACT_LEASE: Final = timedelta(seconds=25)
"""How long an extraction that shows no sign of life keeps others away: less than a message takes, with growing
pauses, to be given up, so that a killed worker's own message brings its work back."""

EXTRACT_TIME: Final = timedelta(seconds=240)
"""How long one part of an extraction may take, less than its function's own limit: the document fails, not the
function."""

PART_TIME: Final = timedelta(seconds=100)
"""How long one reads a document before others get their turn; whoever goes on loses a few seconds."""

BATCH_TIME: Final = timedelta(seconds=60)
"""How long chunks are collected before what there is of a batch is kept."""

RENEW_EVERY: Final = timedelta(seconds=5)
"""How often a live extraction renews its lease."""

EMBED_LEASE: Final = timedelta(minutes=2)
"""From one batch embedded to the next, before the missing ones are sent again."""

DELETE_LEASE: Final = timedelta(minutes=1)
"""How long a deletion that shows no sign of life is left alone."""

ERASE_TIME: Final = timedelta(seconds=200)
"""How long a job goes on with one deletion before it hands over what is left: less than its function lives."""

ERASE_AT_ONCE: Final = timedelta(seconds=5)
"""How long whoever asks for a deletion waits for its end; then it goes on in the background."""

DOCUMENT_RECHECK: Final = timedelta(minutes=15)
"""From a document's receipt to the last look: by then every store shows what was written before the deletion."""

BOT_RECHECK: Final = timedelta(hours=2)
"""The same of a bot: uploads that were permitted before are valid for an hour, and may have begun at its end."""

RECONCILE_EVERY: Final = timedelta(days=1)
"""Published: how often each bot's stores are compared."""

QUARANTINE_KEPT: Final = timedelta(days=30)
"""How long it is noted that an object was nobody's."""

PURGE_LEASE: Final = timedelta(minutes=5)
"""How long the deletion of a whole bot is left alone."""

CLEANUP_LEASE: Final = timedelta(minutes=1)
"""How long a deletion of former generations' vectors that shows no sign of life is left alone."""

DEADLINE: Final = timedelta(hours=1)
"""Published: within this time of its registration, and `TIME_PER_CHUNK`, a document is ready or failed."""

TIME_PER_CHUNK: Final = timedelta(milliseconds=180)
"""Published: what each chunk adds to the deadline, three minutes for a thousand. A document of a hundred pages has
some two hundred."""

UPLOAD_GRACE: Final = timedelta(minutes=10)
"""How long after its presigned form expired an upload may still be registered: it may have begun in time."""

MAX_ATTEMPTS: Final = 5
"""How often a step is begun before the document fails."""
