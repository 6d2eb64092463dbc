"""When the row of an id was made, as the id itself says: what is partitioned by time is found by its id alone."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

SPREAD: Final = timedelta(days=1)
"""A row is dated at most this far from its id: writers' clocks differ, and an answer takes its time."""

_LAST: Final = 250_000_000_000_000
"""Milliseconds until a year that `datetime` still knows; ids with a later one come from no clock."""


def made_at(identifier: UUID) -> datetime:
    """Return the time in a UUIDv7; of any other id, some time or other."""
    return datetime.fromtimestamp(min(identifier.int >> 80, _LAST) / 1000, UTC)


def kept_between(identifier: UUID) -> dict[str, datetime]:
    """Return `since` (inclusive) and `until` (exclusive) of the creation of the id's row."""
    moment = made_at(identifier)
    return {"since": moment - SPREAD, "until": moment + SPREAD}
