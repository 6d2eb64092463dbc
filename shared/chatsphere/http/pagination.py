"""Pages of lists by keyset: a cursor is the last row's id, opaque to clients."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel

from chatsphere.errors import FieldError, InvalidRequestError

Item = TypeVar("Item")

# Powertools takes a query parameter's limits from its own Query, not from pydantic's Field.
Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the previous page.")]


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    data: list[Item]
    next_cursor: str | None = None
    has_more: bool = False


def page_of(rows: Sequence[Item], limit: int, id_of: Callable[[Item], UUID]) -> Page[Item]:
    """Make a page from up to `limit + 1` rows; the one too many only tells that there are more."""
    return page_with_cursor(rows, limit, lambda row: encode_cursor(id_of(row)))


def page_with_cursor(rows: Sequence[Item], limit: int, cursor_of: Callable[[Item], str]) -> Page[Item]:
    """As `page_of`, for lists with cursors of their own."""
    more = len(rows) > limit
    shown = list(rows[:limit])
    return Page(data=shown, has_more=more, next_cursor=cursor_of(shown[-1]) if more else None)


def encode_cursor(last: UUID) -> str:
    """Return the cursor that continues after the row with this id."""
    return opaque(last.bytes)


def decode_cursor(cursor: str | None) -> UUID | None:
    """Return the id that a cursor holds, or None for the first page.

    Raises:
        InvalidRequestError: the cursor is none that ChatSphere made.
    """
    if cursor is None:
        return None
    try:
        return UUID(bytes=content_of(cursor))
    except ValueError:
        raise invalid_cursor() from None


def opaque(content: bytes) -> str:
    """Return a cursor that holds this."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content_of(cursor: str) -> bytes:
    """Return what a cursor holds.

    Raises:
        InvalidRequestError: it is not of the form of one.
    """
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise invalid_cursor() from None


def invalid_cursor() -> InvalidRequestError:
    """Return the error of a cursor that ChatSphere did not make."""
    return InvalidRequestError(
        "The cursor is not valid.", (FieldError("cursor", "invalid_cursor", "Use next_cursor of a previous page."),)
    )
