"""When a vendor is asked again: which answers are worth it, and after how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from chatsphere.errors import ChatSphereError, ProviderOverloadedError, UnavailableError

OVERLOADED: Final = 429
MAX_PAUSE_SECONDS: Final = 8.0
"""Upper end of the jitter's range, however many tries were made; `Retry-After` may ask for more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A vendor's answer: `headers` are looked up in any case, `body` is parsed JSON, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class TryFailedError(Exception):
    """One try failed in a way that another may not.

    `processed` is False where the vendor certainly did nothing; `retry_after` is how many seconds it asks for.
    """

    def __init__(self, *, processed: bool = True, overloaded: bool = False, retry_after: float | None = None) -> None:
        super().__init__()
        self.processed = processed
        self.overloaded = overloaded
        self.retry_after = retry_after

    def public(self, name: str) -> ChatSphereError:
        """Return what the caller is told."""
        if self.overloaded:
            return ProviderOverloadedError(f"{name} accepts no more calls at the moment.")
        return UnavailableError(f"{name} does not answer.")


def is_worth_another_try(status: int) -> bool:
    """Return whether the same call may succeed later."""
    return status in (408, OVERLOADED) or status >= 500


def header_delay(reply: Reply) -> float | None:
    """Return the seconds that `Retry-After` asks for, in either of its forms; None if it asks for nothing."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def pause_before(next_try: int, failure: TryFailedError, *, backoff: float, jitter: float) -> float:
    """Return the seconds to wait before try number `next_try` (from 2).

    Full jitter over an exponential range; `jitter` is uniform in [0, 1). What the vendor asks for comes first.
    """
    spread = min(MAX_PAUSE_SECONDS, backoff * 2.0 ** (next_try - 2)) * jitter
    return spread + (failure.retry_after or 0.0)
