"""Partitions whose rows are no longer to be kept: detached, archived by tenant and bot, dropped.

Each step is noted in the transaction that makes it. A run that dies is gone on with by the next: what is detached is
archived, what is archived is dropped, and a bot's rows that are in the archive are not put there again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import psycopg

from chatsphere.archive.archiving import Archiver
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.insights.rolling import close_days, unrolled
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.retention.horizon import SLACK, keeps_since
from chatsphere.settings import PartitionSettings
from chatsphere.upkeep import partition_queries as queries
from chatsphere.upkeep.leaving import Leaving
from chatsphere.upkeep.locking import trying

LEASE: Final = timedelta(minutes=15)
"""Longer than any function runs."""

MOST_HELD: Final = 50_000
"""Rows of held tenants that are moved into the default partition while the table is locked; of more the partition stays
until the hold is released.
"""


@dataclass(frozen=True, slots=True)
class Retired:
    """What a run let go. `waiting`: partitions that are due and could not go yet."""

    dropped: int = 0
    dropped_empty: int = 0
    archived_rows: int = 0
    kept_rows: int = 0
    waiting: int = 0


class _NotYetError(Exception):
    """Something came between the look at a partition and its detaching: nothing was changed."""


@dataclass(slots=True)
class Retiring:
    """One run. `database` is the maintainer's; `old`: so long after its end nobody writes into a partition."""

    database: Database
    archiver: Archiver
    settings: PartitionSettings
    clock: Clock
    old: timedelta
    wait: Callable[[float], None]
    most_held: int = MOST_HELD
    _done: dict[str, int] = field(default_factory=dict)

    def retire(self, deadline: datetime) -> Retired:
        """As `Partitions.retire`."""
        failed: dict[str, UnavailableError] = {}
        for table, step in self._steps(deadline):
            # What stops one partition most likely stops the others of its table, which are left to the next run.
            if self.clock.now() >= deadline or table in failed:
                continue
            try:
                step()
            except UnavailableError as error:
                logger.warning("a partition could not go", table=table, detail=error.detail)
                failed[table] = error
        if failed:
            raise next(iter(failed.values()))
        return Retired(**self._done)

    def _steps(self, deadline: datetime) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield what is to be done, by table: what was begun, then what may be due."""
        for row in self._rows(queries.OPEN):
            yield row["table_name"], partial(self._finish, row["id"], deadline)
        for row in self._rows(queries.LIST):
            yield row["table_name"], partial(self._begin, row, deadline)

    def _begin(self, partition: Mapping[str, Any], deadline: datetime) -> None:
        """Let one partition go if it is due, and no other run lets it go."""
        try:
            retirement = self._take_out(partition)
        except (psycopg.errors.UndefinedTable, psycopg.errors.UniqueViolation):
            logger.info("another run lets a partition go", partition=partition["partition_name"])
            return
        if retirement is not None:
            self._finish(retirement, deadline)

    def _take_out(self, partition: Mapping[str, Any]) -> UUID | None:
        """Detach one partition if it is due, or drop it if it is empty; None where nothing is left to be done."""
        due = partition["ends_at"] <= (self._horizon(partition["table_name"]) or partition["starts_at"])
        if not due and (partition["table_name"] != "messages" or partition["ends_at"] > self.clock.now() - self.old):
            return None
        if self._rows(queries.IS_EMPTY, partition)[0]["empty"]:
            (row,) = trying(partial(self._rows, queries.DROP_EMPTY, partition), self.wait)
            if row["dropped"]:
                self._count("dropped_empty")
                logger.info("partition dropped", partition=partition["partition_name"], rows=0)
                return None
        if not due or self._is_too_much_held(partition):
            return None
        try:
            return trying(partial(self._detach, partition), self.wait)
        except _NotYetError:
            self._count("waiting")
            logger.warning("a partition cannot go yet", partition=partition["partition_name"])
            return None

    def _is_too_much_held(self, partition: Mapping[str, Any]) -> bool:
        """Return whether a partition stays as it is, for so many of its rows are held: nobody could use the table while
        they are moved.
        """
        if partition["table_name"] == "messages":
            return False
        with self.database.transaction(None) as connection:
            values = {**partition, "held": _held(connection), "most": self.most_held + 1}
            row = connection.execute(queries.HELD_ROWS, values).fetchone()
        if row is None or row["rows"] <= self.most_held:
            return False
        self._count("waiting")
        logger.warning("a partition stays for its held rows", partition=partition["partition_name"])
        return True

    def _detach(self, partition: Mapping[str, Any]) -> UUID:
        """Take the partition out of its table, unless what allowed it has changed by the time that it is out."""
        retirement = self.archiver.ids.new()
        with self.database.transaction(None) as connection:
            if partition["table_name"] == "usage_events" and unrolled(connection, None, partition["ends_at"]):
                raise _NotYetError
        with self.database.transaction(None) as connection:
            held = _held(connection) if partition["table_name"] != "messages" else []
            values = {**partition, "id": retirement, "held": held, "now": self.clock.now()}
            row = connection.execute(queries.DETACH, values).fetchone()
            # From here on nobody writes into the table until the end: what is seen now stays so.
            self._check(connection, partition, held)
        kept = row["kept"] if row else 0
        self._count("kept_rows", kept)
        logger.info("partition detached", partition=partition["partition_name"], kept_rows=kept)
        return retirement

    def _check(self, connection: Connection, partition: Mapping[str, Any], held: list[UUID]) -> None:
        if partition["table_name"] == "messages":
            since = message_horizon(connection, self.clock.now())
            if since is None or partition["ends_at"] > since:
                raise _NotYetError
            return
        if _held(connection) != held:
            raise _NotYetError
        if partition["table_name"] == "usage_events":
            close_days(connection, partition["ends_at"])
            if unrolled(connection, None, partition["ends_at"]):
                raise _NotYetError

    def _finish(self, retirement: UUID, deadline: datetime) -> None:
        """Archive and drop what is detached; whoever else is at it is left alone."""
        values = {"id": retirement, "now": self.clock.now(), "until": self.clock.now() + LEASE}
        rows = self._rows(queries.CLAIM, values)
        if not rows:
            return
        try:
            if rows[0]["status"] == "detached":
                leaving = Leaving(self.database, self.archiver, self.clock, LEASE, rows[0])
                complete, archived = leaving.archive(deadline)
                self._count("archived_rows", archived)
                if not complete:
                    self._count("waiting")
                    return
                self._execute(queries.ARCHIVED, values)
            trying(partial(self._execute, queries.DROP, values), self.wait)
            self._count("dropped")
            logger.info("partition dropped", partition=rows[0]["partition_name"])
        finally:
            self._execute(queries.RELEASE, values)

    def _horizon(self, table: str) -> datetime | None:
        """Return the moment before which the table's rows are not to be kept; None: all are."""
        now = self.clock.now()
        if table == "usage_events":
            return now - timedelta(days=self.settings.usage_kept_days)
        if table == "audit_log":
            return now - timedelta(days=self.settings.audit_kept_days)
        with self.database.transaction(None) as connection:
            return message_horizon(connection, now)

    def _count(self, what: str, number: int = 1) -> None:
        self._done[what] = self._done.get(what, 0) + number

    def _rows(self, statement: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        with self.database.transaction(None) as connection:
            return connection.execute(statement, values).fetchall()

    def _execute(self, statement: str, values: Mapping[str, Any]) -> None:
        with self.database.transaction(None) as connection:
            connection.execute(statement, values)


def message_horizon(connection: Connection, now: datetime) -> datetime | None:
    """Return the moment before which nobody keeps messages, those that came back from the archive included."""
    since = keeps_since(connection, now)
    # As with policies: what is due of these is the run's first.
    row = connection.execute(queries.RESTORED_SINCE, {"slack": now - SLACK}).fetchone()
    restored: datetime | None = row["since"] if row else None
    return min(since, restored) if since and restored else since


def _held(connection: Connection) -> list[UUID]:
    row = connection.execute(queries.HELD_ORGANIZATIONS).fetchone()
    return list(row["organizations"]) if row else []
