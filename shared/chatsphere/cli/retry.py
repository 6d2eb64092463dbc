"""How often a request is tried, and how long to wait in between."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

REFUSED_REQUEST = frozenset({429, 503})
"""The server did not take the request: any may be sent again."""

REFUSED_REQUEST_OR_GATEWAY = REFUSED_REQUEST | {502, 504}
"""A gateway does not know what became of the request: one that may be done twice may be sent again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter, in seconds; a server's Retry-After goes before it.

    Where nothing listens, that does not change in seconds and the user waits for the message: only long jobs
    set `waits_for_connection`.
    """

    attempts: int = 5
    first_wait: float = 0.25
    longest_wait: float = 10.0
    longest_retry_after: float = 60.0
    waits_for_connection: bool = False

    def wait_before(self, attempt: int, retry_after: str | None = None) -> float | None:
        """Return the seconds to wait before `attempt` (the second is 2), or None to give up."""
        if attempt > self.attempts:
            return None
        asked = seconds_of(retry_after)
        if asked is None:
            return random.uniform(0, min(self.longest_wait, self.first_wait * 2 ** (attempt - 1)))  # noqa: S311
        if asked > self.longest_retry_after:
            return None
        # Never earlier than asked; the jitter keeps parallel clients from coming back as one.
        return asked + random.uniform(0, asked / 4)  # noqa: S311


NEVER = RetryPolicy(attempts=1)
PATIENT = RetryPolicy(attempts=12, longest_wait=20.0, waits_for_connection=True)
"""For long jobs: an overloaded or restarting server is given a minute or two."""


def seconds_of(retry_after: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number or an HTTP date."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None
