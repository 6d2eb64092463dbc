"""Restores as they are kept: what is wanted, how far each is. Every function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from chatsphere.archive import restore_queries as queries
from chatsphere.archive.datasets import RESTORABLE
from chatsphere.archive.manifest import get_file
from chatsphere.bots.bots import get_bot
from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, InvalidRequestError, NotFoundError
from chatsphere.ports.system import Ids
from chatsphere.queue_messages import TenantMessage

LEASE: Final = timedelta(minutes=6)
"""Longer than the function lives that works restores off."""

HELD_OFF: Final = timedelta(days=30)
"""For so long what came back is not archived again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come back: these files, or a bot's month, or one conversation."""

    file_ids: Sequence[UUID] | None = None
    bot_id: UUID | None = None
    month: date | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore; `restored` counts the rows that came back, by dataset, `looked_at` the rows of what was wanted."""

    id: UUID
    organization_id: UUID
    file_ids: Sequence[UUID] | None
    bot_id: UUID | None
    month: date | None
    conversation_id: UUID | None
    status: str
    attempts: int
    files_done: Sequence[UUID]
    restored: Mapping[str, int]
    looked_at: int
    error_code: str | None
    kept_until: datetime
    created_at: datetime
    finished_at: datetime | None


class RestoreMessage(TenantMessage):
    """Go on with a restore."""

    restore_id: UUID


def begin_restore(
    connection: Connection, wanted: Wanted, *, requested_by: UUID | None, ids: Ids, now: datetime
) -> Restore:
    """Note a restore; whoever gets its message works it off.

    Raises:
        NotFoundError: the tenant has no such file, or no such bot.
        InvalidRequestError: a file is of a dataset that does not come back into the tables.
    """
    for file_id in wanted.file_ids or ():
        if get_file(connection, file_id).dataset not in RESTORABLE:
            field = FieldError("/file_ids", "not_restorable", "Rows of this dataset are read in the archive only.")
            raise InvalidRequestError("See `errors` for the fields that are not valid.", (field,))
    if wanted.bot_id is not None:
        get_bot(connection, wanted.bot_id)
    values = {
        "id": ids.new(),
        "requested_by": requested_by,
        "file_ids": None if wanted.file_ids is None else list(wanted.file_ids),
        "bot_id": wanted.bot_id,
        "month": wanted.month,
        "conversation_id": wanted.conversation_id,
        "lease_expires_at": now + LEASE,
        "kept_until": now + HELD_OFF,
        "now": now,
    }
    row = connection.execute(queries.BEGIN, values).fetchone()
    assert row is not None
    return Restore(**row)


def get_restore(connection: Connection, restore_id: UUID) -> Restore:
    """Return a restore.

    Raises:
        NotFoundError: the tenant has no such restore.
    """
    row = connection.execute(queries.GET, {"id": restore_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such restore.")
    return Restore(**row)


def restores_page(connection: Connection, *, before: UUID | None, limit: int) -> Sequence[Restore]:
    """Return restores, newest first: `limit` and one more where there are more."""
    values = {"before": before, "limit": limit + 1}
    return [Restore(**row) for row in connection.execute(queries.PAGE, values)]
