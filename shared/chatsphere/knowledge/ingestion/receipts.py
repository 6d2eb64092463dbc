"""Deletions and their receipts: what was to go, what was removed, and that a second look found nothing."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.access.permissions import BotLevel, bot_level
from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.ingestion import receipt_queries as queries
from chatsphere.knowledge.ingestion.times import BOT_RECHECK, DELETE_LEASE, DOCUMENT_RECHECK
from chatsphere.ports.objects import ObjectVersion

Reason = Literal["api", "bucket", "source", "reconcile", "retention"]
"""Who wanted it gone: a request, the bucket, the web source that it came from, a comparison of the stores, or a
retention policy.
"""

VISIBILITIES: Final = ("private", "organization", "public")


@dataclass(frozen=True, slots=True)
class Deletion:
    """The deletion of a document, or of a bot where there is no `document_id`. Counts are by kind.

    `left_over` is what the second look found, None until then; `late` what a look long after that found and removed.
    """

    id: UUID
    bot_id: UUID
    document_id: UUID | None
    reason: str
    status: str
    requested_at: datetime
    finished_at: datetime | None
    removed: Mapping[str, int]
    left_over: Mapping[str, int] | None
    rechecked_at: datetime | None
    late: Mapping[str, int] | None
    object_key: str | None = None
    object_versions: Sequence[ObjectVersion] | None = None
    vector_places: Sequence[tuple[int, int | None]] = ()
    memory_places: Sequence[tuple[int, int | None]] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Deletion":
        """Read a row."""
        listed = row["object_versions"]
        versions = None if listed is None else [ObjectVersion(i, e, datetime.fromisoformat(m)) for i, e, m in listed]
        places = {
            column: [(revision, dimensions) for revision, dimensions in row[column] or ()]
            for column in ("vector_places", "memory_places")
        }
        return cls(**{**row, "object_versions": versions, **places})


def open_deletion(
    connection: Connection,
    bot_id: UUID,
    document_id: UUID | None,
    now: datetime,
    *,
    reason: Reason = "api",
    object_key: str | None = None,
    object_versions: Sequence[ObjectVersion] | None = None,
) -> Deletion:
    """Note that something is hidden and to be removed. Who asked for it is what the transaction says."""
    values = {
        "bot_id": bot_id,
        "document_id": document_id,
        "reason": reason,
        "now": now,
        "recheck_at": now + DELETE_LEASE,
        "object_key": object_key,
        "object_versions": versions_json(object_versions),
    }
    row = connection.execute(queries.OPEN, values).fetchone()
    assert row is not None
    return Deletion.of(row)


def claim_deletion(connection: Connection, bot_id: UUID, document_id: UUID | None, now: datetime) -> Deletion | None:
    """Show that somebody is at it, and return a running deletion; None where there is none."""
    values = {"bot_id": bot_id, "document_id": document_id, "recheck_at": now + DELETE_LEASE}
    row = connection.execute(queries.CLAIM, values).fetchone()
    return Deletion.of(row) if row else None


def note_removed(connection: Connection, deletion: Deletion | None, counts: Mapping[str, int]) -> None:
    """Add to a receipt what the same transaction removes."""
    _note(connection, deletion, counts, operator.add)


def note_found(connection: Connection, deletion: Deletion | None, counts: Mapping[str, int]) -> None:
    """Note in a receipt what there is of a store, before it is removed: a second try finds less than there was."""
    _note(connection, deletion, counts, max)


def finish_deletion(
    connection: Connection,
    deletion: Deletion,
    left_over: Mapping[str, int],
    now: datetime,
    vector_places: Sequence[tuple[int, int | None]],
    memory_places: Sequence[tuple[int, int | None]] = (),
) -> Deletion:
    """Write the receipt, in the transaction that removes the last row. The object's key is forgotten with it.

    `vector_places`, and of a bot `memory_places`: in which revisions, with vectors of which length, the last look shall
    look.
    """
    values = {
        "id": deletion.id,
        "left_over": Jsonb(dict(left_over)),
        "now": now,
        "recheck_at": now + (BOT_RECHECK if deletion.document_id is None else DOCUMENT_RECHECK),
        "vector_places": Jsonb([list(place) for place in vector_places]),
        "memory_places": Jsonb([list(place) for place in memory_places]) if memory_places else None,
    }
    row = connection.execute(queries.FINISH, values).fetchone()
    return Deletion.of(row) if row else find_receipt(connection, deletion.id)


def find_receipt(connection: Connection, deletion_id: UUID) -> Deletion:
    """Return a deletion of the tenant's that is known to be there."""
    row = connection.execute(queries.GET, {"id": deletion_id}).fetchone()
    assert row is not None
    return Deletion.of(row)


def find_deletion(connection: Connection, caller: Principal, deletion_id: UUID) -> Deletion:
    """Return a deletion that the caller may see.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(queries.SEEN, _seen_by(caller) | {"id": deletion_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such deletion.")
    return Deletion.of(row)


def deletions_page(
    connection: Connection,
    caller: Principal,
    *,
    bot_id: UUID | None,
    document_id: UUID | None,
    status: str | None,
    after: UUID | None,
    limit: int,
) -> list[Deletion]:
    """Return deletions that the caller may see, newest first, after a cursor: `limit`, and one more if there are."""
    filters = {"bot_id": bot_id, "document_id": document_id, "status": status, "after": after, "limit": limit + 1}
    return [Deletion.of(row) for row in connection.execute(queries.PAGE, _seen_by(caller) | filters)]


def versions_json(versions: Sequence[ObjectVersion] | None) -> Jsonb | None:
    """Return versions as they are stored."""
    return None if versions is None else Jsonb([[v.id, v.etag, v.modified_at.isoformat()] for v in versions])


def _note(
    connection: Connection, deletion: Deletion | None, counts: Mapping[str, int], merge: Callable[[int, int], int]
) -> None:
    if deletion is None or not any(counts.values()):
        return
    row = connection.execute(queries.HOLD_REMOVED, {"id": deletion.id}).fetchone()
    assert row is not None
    former = row["removed"]
    removed = former | {kind: merge(former.get(kind, 0), number) for kind, number in counts.items() if number}
    connection.execute(queries.WRITE_REMOVED, {"id": deletion.id, "removed": Jsonb(removed)})


def _seen_by(caller: Principal) -> dict[str, Any]:
    """Return whose deletions a caller sees: those of bots that they see, their own, and for admins all."""
    return {
        "user_id": caller.user_id,
        "seen": [each for each in VISIBILITIES if bot_level(caller.role, each, BotLevel.NONE) >= BotLevel.VIEW],
        "only": None if caller.bot_ids is None else list(caller.bot_ids),
    }
