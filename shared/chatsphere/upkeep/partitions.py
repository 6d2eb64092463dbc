"""Partitions by time: made ahead of what will be written, and let go when what is in them is no longer to be kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import sleep
from typing import Any, Final

import psycopg

from chatsphere.archive.archiving import Archiver
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.system import Clock
from chatsphere.settings import PartitionSettings
from chatsphere.upkeep import partition_queries as queries
from chatsphere.upkeep.locking import trying
from chatsphere.upkeep.periods import Period, missing_periods, next_month, period_of, replaceable
from chatsphere.upkeep.retiring import Retired, Retiring

TABLES: Final = ("messages", "usage_events", "audit_log")

OLD: Final = timedelta(days=35)
"""So long after its end nobody writes into a partition any more: it may go where it is empty."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a run made: partitions, and rows that moved into them from default partitions."""

    partitions: int = 0
    replaced: int = 0
    moved_rows: int = 0


@dataclass(frozen=True, slots=True)
class Partitions:
    """Keeps the partitions of messages, of what was used and of the audit log."""

    maintainer_database: Database
    archiver: Archiver
    settings: PartitionSettings
    clock: Clock
    wait: Callable[[float], None] = field(default=sleep, repr=False)

    def make_ahead(self) -> Made:
        """Make what is missing from now to some time ahead, and what rows in default partitions need.

        Raises:
            UnavailableError: a partition of the time that comes next is missing still.
        """
        made = Made()
        for table in TABLES:
            replaced = self._replace(table)
            ahead = self._make(table)
            made = Made(
                made.partitions + ahead.partitions, made.replaced + replaced, made.moved_rows + ahead.moved_rows
            )
        moved = self._empty_default_partitions()
        self._raise_missing()
        return Made(made.partitions + moved.partitions, made.replaced, made.moved_rows + moved.moved_rows)

    def retire(self, deadline: datetime) -> Retired:
        """Let go what is due, until the deadline; what was begun before is gone on with first.

        Raises:
            UnavailableError: database or bucket do not answer, or a lock could not be had; the next run goes on.
        """
        return Retiring(self.maintainer_database, self.archiver, self.settings, self.clock, OLD, self.wait).retire(
            deadline
        )

    def missing(self) -> list[str]:
        """Return the tables that have no partition for what is written now or in the next period."""
        now, granularity = self.clock.now(), self.settings.partition_by
        coming = period_of(now, granularity).ends_at
        existing = self._existing()
        return [table for table in TABLES if not all(_covered(existing[table], at) for at in (now, coming))]

    def _raise_missing(self) -> None:
        missing = self.missing()
        record(Metric.PARTITIONS_MISSING, len(missing))
        if missing:
            logger.error("partitions are missing", tables=missing)
            raise UnavailableError(f"Partitions of the time that comes next are missing: {', '.join(missing)}.")

    def _existing(self) -> Mapping[str, Mapping[Period, str]]:
        """Return each table's partitions by their range."""
        found: dict[str, dict[Period, str]] = {table: {} for table in TABLES}
        with self.maintainer_database.transaction(None) as connection:
            for row in connection.execute(queries.LIST):
                found[row["table_name"]][Period(row["starts_at"], row["ends_at"])] = row["partition_name"]
        return found

    def _replace(self, table: str) -> int:
        """Drop ranges of another setting that nothing was written into."""
        existing, dropped = self._existing()[table], 0
        for period in replaceable(list(existing), self.clock.now(), self.settings.partition_by):
            row = self._try(queries.DROP_EMPTY, {"partition_name": existing[period]})
            dropped += bool(row and row["dropped"])
        return dropped

    def _make(self, table: str) -> Made:
        now, granularity = self.clock.now(), self.settings.partition_by
        following = period_of(period_of(now, granularity).ends_at, granularity)
        # The next one always, however few days ahead are wanted: what `missing` looks for.
        until = max(now + timedelta(days=self.settings.partitions_ahead_days), following.ends_at)
        return self._make_each(table, list(missing_periods(list(self._existing()[table]), now, until, granularity)))

    def _empty_default_partitions(self) -> Made:
        """Make partitions for rows that came too early or too late, but for those that are kept where they are."""
        with self.maintainer_database.transaction(None) as connection:
            waiting = connection.execute(queries.WAITING_ROWS, {"held": held_organizations(connection)}).fetchall()
        made, existing = Made(), self._existing()
        for row in waiting:
            logger.warning("rows in a default partition", **row)
            month, present = row["starts_at"], list(existing[row["table_name"]])
            done = self._make_each(row["table_name"], list(missing_periods(present, month, next_month(month), "month")))
            made = Made(made.partitions + done.partitions, 0, made.moved_rows + done.moved_rows)
        return made

    def _make_each(self, table: str, periods: list[Period]) -> Made:
        made = Made()
        for period in periods:
            values = {"table_name": table, "starts_at": period.starts_at, "ends_at": period.ends_at}
            if (row := self._try(queries.MAKE, values)) is not None:
                made = Made(made.partitions + 1, 0, made.moved_rows + row["moved"])
        return made

    def _try(self, statement: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Run one change of a table; None where its lock could not be had, for that is seen in what is missing."""

        def once() -> dict[str, Any] | None:
            with self.maintainer_database.transaction(None) as connection:
                return connection.execute(statement, values).fetchone()

        try:
            return trying(once, self.wait)
        except (psycopg.errors.DuplicateTable, psycopg.errors.UndefinedTable):
            # Another run did it meanwhile.
            return None
        except UnavailableError:
            logger.warning("a partition could not be changed", **values)
            return None


def held_organizations(connection: Connection) -> list[Any]:
    """Return the tenants that a legal hold is on as a whole."""
    row = connection.execute(queries.HELD_ORGANIZATIONS).fetchone()
    return list(row["organizations"]) if row else []


def _covered(existing: Mapping[Period, str], moment: datetime) -> bool:
    return any(period.holds(moment) for period in existing)
