"""A place in the order of a bot's changes, as a stream's event ids tell it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from uuid import UUID

from chatsphere.errors import FieldError, InvalidRequestError

KEPT_FOR: Final = timedelta(minutes=50)
"""How old a place may be: of documents that were deleted earlier nothing is known (the triggers keep an hour)."""

HEADER: Final = "Last-Event-ID"
MAX_TRANSACTION: Final = 2**63 - 1

_FORM: Final = re.compile(r"(\d{1,19})-([0-9a-f]{32})-(\d{1,11})", re.ASCII)
_LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Whatever changed in transactions before `changed_in`, and in it up to `document_id`, has been told.

    Transactions are numbered as PostgreSQL does (xid8). `told_at` is when, to the second.
    """

    changed_in: int
    document_id: UUID
    told_at: datetime

    @classmethod
    def before(cls, transaction: int, told_at: datetime) -> Self:
        """Return the place before all that this transaction changed."""
        return cls(max(0, transaction - 1), _LAST, told_at)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that an event's id names.

        Raises:
            InvalidRequestError: it is none of this stream's.
        """
        form = _FORM.fullmatch(text)
        if form is None or int(form[1]) > MAX_TRANSACTION:
            raise InvalidRequestError(
                f"{HEADER} is not the id of an event.",
                (FieldError(HEADER, "invalid_event_id", "Send the id of the last event, or leave it out."),),
            )
        return cls(int(form[1]), UUID(form[2]), datetime.fromtimestamp(int(form[3]), UTC))

    def __str__(self) -> str:
        return f"{self.changed_in}-{self.document_id.hex}-{int(self.told_at.timestamp())}"

    def is_too_old(self, now: datetime) -> bool:
        """Return whether something that happened since may be forgotten."""
        return now - self.told_at > KEPT_FOR
