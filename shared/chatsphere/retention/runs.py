"""Retention runs as rows: begun, read, held by one worker at a time, ended. Every function runs in the caller's
transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.bots.bots import get_bot
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.retention import run_queries as queries
from chatsphere.retention.listing import ListedRun, Place
from chatsphere.retention.policies import Policies

LEASE: Final = timedelta(minutes=10)
"""How long a run that shows no sign of life is left alone: longer than its function runs, and than any step takes."""

Row = Mapping[str, Any]


class RetentionRunningError(ConflictError):
    """A run of the same kind is under way in the organization."""

    code = "retention_running"
    title = "A retention run is under way"


class LostRunError(Exception):
    """Somebody else has taken the run up, or it has ended: what the transaction did is undone."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is under way, held by `token`."""

    organization_id: UUID
    id: UUID
    bot_id: UUID | None
    dry_run: bool
    as_of: datetime
    step: str
    place: Place
    policies: Policies | None
    listed: int
    attempts: int
    token: UUID
    started_at: datetime

    def to_list(self, policies: Policies) -> ListedRun:
        """Return what listing needs to know."""
        return ListedRun(self.id, self.bot_id, self.as_of, policies)


def begin_run(
    connection: Connection,
    run_id: UUID,
    *,
    now: datetime,
    dry_run: bool = False,
    bot_id: UUID | None = None,
    requested_by: UUID | None = None,
    api_key_id: UUID | None = None,
) -> Row:
    """Begin a run of the tenant, of one bot or of all; nobody is at it yet.

    Raises:
        NotFoundError: there is no such bot, or the organization is being deleted.
        RetentionRunningError: one of its kind is under way.
    """
    if bot_id is not None:
        get_bot(connection, bot_id)
    values = {
        "id": run_id,
        "bot_id": bot_id,
        "dry_run": dry_run,
        "requested_by": requested_by,
        "api_key_id": api_key_id,
        "now": now,
        "lease_expires_at": now + LEASE,
    }
    if connection.execute(queries.BEGIN, values).fetchone() is None:
        running = connection.execute(queries.RUNNING, {"dry_run": dry_run}).fetchone()
        if running is None:
            raise NotFoundError("There is no such organization.")
        raise RetentionRunningError(f"The run {running['id']} is under way.")
    return get_run(connection, run_id)


def get_run(connection: Connection, run_id: UUID) -> Row:
    """Return a run.

    Raises:
        NotFoundError: the tenant has no such run, or not any more.
    """
    row = connection.execute(queries.GET, {"id": run_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such retention run.")
    return row


def runs_page(connection: Connection, *, dry_run: bool | None, after: UUID | None, limit: int) -> Sequence[Row]:
    """Return the tenant's runs, newest first: `limit` and one more where there are more."""
    values = {"dry_run": dry_run, "after": after, "limit": limit + 1}
    return connection.execute(queries.PAGE, values).fetchall()


def items_page(
    connection: Connection, run_id: UUID, *, kind: str | None, action: str | None, after: int, limit: int
) -> Sequence[Row]:
    """Return a run's items after a position, in the order in which they are done: as above.

    Raises:
        NotFoundError: the tenant has no such run.
    """
    get_run(connection, run_id)
    values = {"run_id": run_id, "kind": kind, "action": action, "after": after, "limit": limit + 1}
    return connection.execute(queries.ITEMS, values).fetchall()


def claim_run(connection: Connection, organization_id: UUID, run_id: UUID, token: UUID, now: datetime) -> Run | None:
    """Take a run up; None where somebody is at it, or it has ended."""
    values = {"id": run_id, "token": token, "now": now, "lease_expires_at": now + LEASE}
    row = connection.execute(queries.CLAIM, values).fetchone()
    return None if row is None else _run(organization_id, row)


def hold_run(connection: Connection, run: Run, now: datetime) -> Row:
    """Show that one is still at it; return what the run has removed so far.

    Raises:
        LostRunError: one is not.
    """
    values = {"id": run.id, "token": run.token, "lease_expires_at": now + LEASE}
    row = connection.execute(queries.HOLD, values).fetchone()
    if row is None:
        raise LostRunError
    return row


def count_removed(connection: Connection, run: Run, so_far: Row, counts: Mapping[str, int]) -> None:
    """Add to what a run has removed, in the transaction that removes it, after `hold_run`."""
    sums = dict(so_far["removed"])
    for kind, number in counts.items():
        if number:
            sums[kind] = sums.get(kind, 0) + number
    connection.execute(queries.REMOVED, {"id": run.id, "removed": Jsonb(sums)})


def _run(organization_id: UUID, row: Row) -> Run:
    return Run(
        organization_id=organization_id,
        id=row["id"],
        bot_id=row["bot_id"],
        dry_run=row["dry_run"],
        as_of=row["as_of"],
        step=row["step"],
        place=Place.from_json(row["place"]),
        policies=None if row["policies"] is None else Policies.from_json(row["policies"]),
        listed=row["listed"],
        attempts=row["attempts"],
        token=row["lease_token"],
        started_at=row["started_at"],
    )
