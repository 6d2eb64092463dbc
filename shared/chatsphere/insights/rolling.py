"""Rolling usage events up into sums by day.

Whoever adds events marks their days in the same transaction. The job takes the marks of one day of one tenant, reads
all of the day's events and writes its sums anew, in one transaction: run again, cut short, late or twice at once, it
ends with the same sums.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from chatsphere.db.database import SLOW_READ_MS, Connection, Database
from chatsphere.failures import public_error
from chatsphere.insights import roll_queries as queries
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.system import Clock

MAX_DAYS: Final = 1000
"""Days of tenants of one run."""

RUN_FOR: Final = timedelta(seconds=200)
"""No further day is begun after this: one takes `SUM_UP_MS` at most, and the function five minutes."""

SUM_UP_MS: Final = 6 * SLOW_READ_MS


@dataclass(frozen=True, slots=True)
class UsageRoller:
    """Looks across tenants with `reaper_database`, acts as one tenant with `database`."""

    reaper_database: Database
    database: Database
    clock: Clock

    def roll(self) -> int:
        """Sum up days that are marked, up to a bound, each tenant in its turn; return how many that were."""
        until = self.clock.now() + RUN_FOR
        with self.reaper_database.transaction(None) as connection:
            due = connection.execute(queries.DUE_DAYS, {"limit": MAX_DAYS}).fetchall()
            named = connection.execute(queries.NAMED_TOO_LONG, {"limit": MAX_DAYS}).fetchall()
        done = 0
        for row in due:
            if self.clock.now() >= until:
                break
            done += self._try_to_roll(row["organization_id"], row["day"])
        for row in named:
            self._forget_named(row["organization_id"])
        record(Metric.USAGE_DAYS_ROLLED, done)
        return done

    def _try_to_roll(self, organization_id: UUID, day: date) -> bool:
        try:
            with self.database.transaction(organization_id, statement_ms=SUM_UP_MS) as connection:
                return roll_day(connection, day)
        except Exception as error:
            # One tenant's day must not keep the job from all others; its marks are found again by the next run.
            public_error(error)
            return False

    def _forget_named(self, organization_id: UUID) -> None:
        with self.database.transaction(organization_id) as connection:
            connection.execute(queries.FORGET_NAMED)


def roll_day(connection: Connection, day: date) -> bool:
    """Write the sums of the tenant's day anew where it is marked; return whether it was.

    The sums of a day that is closed stay as they are: of its events only late ones may be there.
    """
    taken = connection.execute(queries.TAKE_MARKS, {"day": day}).fetchone()
    assert taken is not None, "a count has one row"
    if taken["marks"] and taken["is_closed"]:
        logger.warning("usage events of a closed day are in no sum", day=day.isoformat())
    elif taken["marks"]:
        for statement in (*queries.FORGET_SUMS, queries.SUM_UP):
            connection.execute(statement, {"day": day})
    return bool(taken["marks"])


def unrolled(connection: Connection, since: datetime | None, until: datetime) -> bool:
    """Return, as the maintainer, whether any tenant's events from `since` to before `until` are in no sum yet.

    `since` None: from the first on. Call it where no event can be added meanwhile.
    """
    values = {"first": _day(since) if since else None, "last": _day(until - timedelta(microseconds=1))}
    row = connection.execute(queries.IS_MARKED, values).fetchone()
    assert row is not None
    return bool(row["found"])


def close_days(connection: Connection, until: datetime) -> None:
    """Let, as the maintainer, the sums of all days before the one of `until` be as they are, for good.

    To be called in the transaction that takes their events away, where `unrolled` says that none before is missing.
    """
    connection.execute(queries.CLOSE, {"before": _day(until)})


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
