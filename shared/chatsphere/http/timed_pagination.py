"""Pages of lists in the order of a time that changes, as of the last use: a cursor is the last row's time and key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from chatsphere.http.models import is_storable
from chatsphere.http.pagination import Page, content_of, invalid_cursor, opaque, page_with_cursor

Item = TypeVar("Item")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = 2**53
"""Microseconds; what a cursor says beyond was not made by ChatSphere and would overflow a date."""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last row's time, and its key among rows of that time."""

    time: datetime
    key: str

    @property
    def id(self) -> UUID:
        """Return the key where it is an id.

        Raises:
            InvalidRequestError: it is none.
        """
        try:
            return UUID(self.key)
        except ValueError:
            raise invalid_cursor() from None


def timed_page(rows: Sequence[Item], limit: int, place_of: Callable[[Item], Place]) -> Page[Item]:
    """Make a page from up to `limit + 1` rows; the one too many only tells that there are more."""
    return page_with_cursor(rows, limit, lambda row: encode_place(place_of(row)))


def encode_place(place: Place) -> str:
    """Return the cursor that continues after this place."""
    micros = (place.time - _EPOCH) // _MICROSECOND
    return opaque(micros.to_bytes(7) + place.key.encode())


def decode_place(cursor: str | None) -> Place | None:
    """Return the place that a cursor holds, or None for the first page.

    Raises:
        InvalidRequestError: the cursor is none that ChatSphere made.
    """
    if cursor is None:
        return None
    content = content_of(cursor)
    try:
        micros, key = int.from_bytes(content[:7]), content[7:].decode()
    except ValueError:
        raise invalid_cursor() from None
    if len(content) < 8 or micros > _YEARS or not is_storable(key):
        raise invalid_cursor()
    return Place(_EPOCH + micros * _MICROSECOND, key)
