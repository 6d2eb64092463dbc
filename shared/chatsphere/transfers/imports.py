"""Imports as they are kept: permitted, started, shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.billing.quotas import Quota, hold_organization, require_room
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.ports.objects import ObjectStore, PresignedPost, StoredObject
from chatsphere.transfers import import_queries as queries
from chatsphere.transfers.errors import ImportStartedError
from chatsphere.transfers.limits import MAX_FILE_BYTES
from chatsphere.transfers.places import import_key
from chatsphere.transfers.times import FORM_SECONDS, LEASE, UPLOAD_WITHIN, UPLOADED_BY

KEPT: Final = 100
"""Imports of an organization that are remembered when they have ended."""

MAX_OPEN: Final = 5
"""Published: imports of an organization at a time."""


MOST_GIVEN_UP: Final = 20
"""Published: imports that make room for others before their forms are over. Each form is room in the bucket."""


class TooManyImportsError(ConflictError):
    """As many imports as there may be have not ended."""

    code = "too_many_imports"
    title = f"There may be {MAX_OPEN} imports at a time"


@dataclass(frozen=True, slots=True)
class Import:
    """A bot that comes in. `bot_id` is the new bot's; nobody sees that before the import is done."""

    id: UUID
    name: str | None
    status: str
    bot_id: UUID | None
    vectors: str | None
    embedding_model: str | None
    size: int | None
    documents_done: int
    documents_total: int | None
    counts: Mapping[str, int]
    error_code: str | None
    error_message: str | None
    created_at: datetime
    finished_at: datetime | None


def permit(connection: Connection, *, import_id: UUID, created_by: UUID, name: str | None, now: datetime) -> Import:
    """Note that a bot's file is to be uploaded.

    Raises:
        QuotaExceededError: the plan permits no further bot.
        TooManyImportsError: `MAX_OPEN` were started and have not ended. Of those that wait for their file, the oldest
            makes room, as long as `MOST_GIVEN_UP` have not within the time of their forms.
    """
    hold_organization(connection)
    require_room(connection, Quota.BOTS)
    counted = connection.execute(queries.COUNT_OPEN).fetchone()
    if counted is not None and counted["open"] >= MAX_OPEN:
        # Uploads that failed, or were given up, must not keep anybody from another try.
        given_up = {"now": now, "uploaded_by": UPLOADED_BY, "most": MOST_GIVEN_UP}
        if connection.execute(queries.GIVE_UP_OLDEST, given_up).rowcount == 0:
            raise TooManyImportsError
    values = {
        "import_id": import_id,
        "created_by": created_by,
        "name": name,
        "now": now,
        "lease_expires_at": now + UPLOAD_WITHIN,
    }
    row = connection.execute(queries.INSERT, values).fetchone()
    assert row is not None
    connection.execute(queries.FORGET_OLD, {"kept": KEPT})
    return Import(**row)


def upload_form(archive: ObjectStore, organization_id: UUID, import_id: UUID) -> PresignedPost:
    """Return a form with which exactly the import's file may be uploaded."""
    return archive.presign_upload(
        import_key(organization_id, import_id),
        content_type="application/zip",
        max_bytes=MAX_FILE_BYTES,
        expires_seconds=FORM_SECONDS,
        metadata={},
    )


def start(connection: Connection, import_id: UUID, stored: StoredObject, *, now: datetime) -> Import:
    """Have the file that is stored taken in.

    Raises:
        NotFoundError: the tenant has no such import.
        ImportStartedError: it was started before, or its time is over.
    """
    get_import(connection, import_id)
    values = {
        "import_id": import_id,
        "version": stored.version_id,
        "etag": stored.etag,
        "size": stored.size,
        "now": now,
        "lease_expires_at": now + LEASE,
    }
    row = connection.execute(queries.START, values).fetchone()
    if row is None:
        raise ImportStartedError("Ask for a new import to take in another file.")
    return Import(**row)


def get_import(connection: Connection, import_id: UUID) -> Import:
    """Return one import.

    Raises:
        NotFoundError: the tenant has no such import.
    """
    row = connection.execute(queries.GET, {"import_id": import_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such import.")
    return Import(**row)


def imports_page(connection: Connection, *, after: UUID | None, limit: int) -> Sequence[Import]:
    """Return imports after a cursor, newest first: `limit` and one more where there are more."""
    values = {"after": after, "limit": limit + 1}
    return [Import(**row) for row in connection.execute(queries.PAGE, values)]
