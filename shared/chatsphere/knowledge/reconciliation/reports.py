"""Reconciliations as they are kept: how far each is, what it found, what it repaired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.documents import require_bot
from chatsphere.knowledge.ingestion.times import RECONCILE_EVERY
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.errors import ReconciliationRunningError
from chatsphere.ports.system import Ids

KEPT: Final = 20
"""Reports of a bot."""

LEASE: Final = timedelta(minutes=10)
"""How long a reconciliation that shows no sign of life is left alone: longer than its function lives."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison of a bot's stores; counts are by kind. `remaining` is not known before `finished_at`."""

    id: UUID
    bot_id: UUID
    status: str
    dry_run: bool
    second_look: bool
    step: str
    after: str | None
    pages: int
    looked_at: Mapping[str, int]
    found: Mapping[str, int]
    repaired: Mapping[str, int]
    remaining: Mapping[str, int]
    examples: Sequence[Mapping[str, Any]]
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None


def ask_for(connection: Connection, bot_id: UUID, *, dry_run: bool, ids: Ids, now: datetime) -> Reconciliation:
    """Begin a reconciliation, or return the one that is under way.

    Raises:
        NotFoundError: the tenant has no such bot.
        ReconciliationRunningError: the one under way repairs, and this one shall not; or the other way round.
    """
    begin(connection, bot_id, dry_run=dry_run, ids=ids, now=now)
    present = running(connection, bot_id)
    if present is None:
        raise NotFoundError("There is no such bot.")
    if present.dry_run != dry_run:
        raise ReconciliationRunningError("Another reconciliation of the bot is under way.")
    return present


def is_due(connection: Connection, bot_id: UUID, now: datetime) -> bool:
    """Return whether none was begun for nearly as long as there is between two: a message may come twice."""
    values = {"bot_id": bot_id, "started_after": now - RECONCILE_EVERY / 2}
    return connection.execute(queries.BEGUN_SINCE, values).fetchone() is None


def begin(connection: Connection, bot_id: UUID, *, dry_run: bool, ids: Ids, now: datetime) -> UUID | None:
    """Begin a reconciliation; None where one is under way, or the bot is gone."""
    values = {"id": ids.new(), "bot_id": bot_id, "dry_run": dry_run, "now": now, "lease_expires_at": now + LEASE}
    row = connection.execute(queries.BEGIN, values).fetchone()
    if row is None:
        return None
    connection.execute(queries.FORGET_OLD, {"bot_id": bot_id, "kept": KEPT})
    return UUID(str(row["id"]))


def running(connection: Connection, bot_id: UUID) -> Reconciliation | None:
    """Return the bot's reconciliation that is under way."""
    row = connection.execute(queries.RUNNING, {"bot_id": bot_id}).fetchone()
    return Reconciliation(**row) if row else None


def get_reconciliation(connection: Connection, bot_id: UUID, reconciliation_id: UUID) -> Reconciliation:
    """Return one of a bot's reconciliations.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such reconciliation.
    """
    values = {"bot_id": bot_id, "reconciliation_id": reconciliation_id}
    row = connection.execute(queries.GET, values).fetchone()
    if row is None:
        raise NotFoundError("There is no such reconciliation.")
    return Reconciliation(**row)


def reconciliations_page(
    connection: Connection, bot_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Reconciliation]:
    """Return reconciliations after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    require_bot(connection, bot_id)
    values = {"bot_id": bot_id, "after": after, "limit": limit + 1}
    return [Reconciliation(**row) for row in connection.execute(queries.PAGE, values)]
