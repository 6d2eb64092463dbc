"""How many streams an organization may have open: each occupies one execution of a function while it lasts."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import TooManyRequestsError, UnavailableError
from chatsphere.knowledge.history import queries

SLOTS: Final = 4
"""Open streams of one organization."""


class TooManyStreamsError(TooManyRequestsError):
    """The organization has as many streams open as it may; its documents' states can still be asked for."""

    code = "too_many_streams"
    title = "Too many open streams"


@contextmanager
def stream_slot(
    database: Database, organization_id: UUID, holder: UUID, now: datetime, life: timedelta
) -> Iterator[None]:
    """Hold one of the organization's slots; it becomes free after `life`, whatever happens to the holder.

    Raises:
        TooManyStreamsError: all are held.
        UnavailableError: the database does not answer.
    """
    values = {"holder": holder, "now": now, "expires_at": now + life, "slots": SLOTS}
    with database.transaction(organization_id) as connection:
        taken = connection.execute(queries.TAKE_SLOT, values).fetchone()
        free = None if taken else connection.execute(queries.NEXT_FREE, values).fetchone()
    if taken is None:
        free_at = free["free_at"] if free else None
        raise TooManyStreamsError(
            f"{SLOTS} streams may be open at a time.", (free_at - now).total_seconds() if free_at else 1
        )
    try:
        yield
    finally:
        # Were it not freed, it would expire.
        with suppress(UnavailableError), database.transaction(organization_id) as connection:
            connection.execute(queries.LEAVE_SLOT, values)
