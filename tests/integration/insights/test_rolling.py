"""The job: cut short, late, twice at once, while others write, after days were closed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.insights import reports, rolling
from chatsphere.insights.asking import Group, Narrowed, Period
from chatsphere.insights.measures import MEASURES
from chatsphere.insights.rolling import UsageRoller, close_days, roll_day, unrolled
from tests.conftest import Tenant
from tests.integration.insights.events import Event, add_events, added_up
from tests.postgres import DatabaseUrls

DAY = date(2026, 5, 4)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
TABLES = ("usage_daily", "usage_daily_end_users", "usage_daily_latencies")


@pytest.fixture
def tenant(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def roller(database: Database, database_urls: DatabaseUrls) -> Iterator[UsageRoller]:
    reaper = Database(database_urls.reaper)
    yield UsageRoller(reaper, database, SystemClock())
    reaper.close()


@pytest.fixture
def maintainer(database_urls: DatabaseUrls) -> Iterator[Database]:
    database = Database(database_urls.maintainer)
    yield database
    database.close()


def made(ids: UuidV7Ids, number: int, **given: Any) -> list[Event]:
    fields: dict[str, Any] = {"created_at": NOON, "end_user_id": "ada", "cost_microdollars": 7, "total_ms": 90} | given
    return [Event(ids.new(), **fields) for _ in range(number)]


def told(connection: Connection) -> dict[str, int]:
    period = Period(DAY - timedelta(days=9), DAY + timedelta(days=9))
    total = reports.measured(connection, reports.Wanted(period, Group.DAY, Narrowed())).total[0]
    return {name: total[name] for name in MEASURES}


def sums(connection: Connection) -> list[tuple[Any, ...]]:
    """Return all that is summed up of the tenant."""
    return [
        (table, *row.values())
        for table in TABLES
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY day, bot_id").fetchall()
    ]


def marks(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) AS marks FROM usage_marks").fetchone()
    assert row is not None
    return int(row["marks"])


def test_who_writes_and_who_sums_up_wait_for_nobody(
    tenant: Tenant, database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids
) -> None:
    # Given a day that is being summed up, and a writer who has not finished
    first, unfinished, late = made(ids, 1), made(ids, 1), made(ids, 1)
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, first)
    with (
        psycopg.connect(database_urls.app, row_factory=dict_row) as writer,
        psycopg.connect(database_urls.app, row_factory=dict_row) as job,
    ):
        for each in (writer, job):
            each.execute("SELECT app.begin_request(%s, NULL, '{}'::jsonb)", (tenant.organization_id,))
            each.execute("SET LOCAL lock_timeout = '2s'")
        add_events(writer, unfinished)
        assert roll_day(job, DAY)
        # When somebody else writes and commits meanwhile
        with database.transaction(tenant.organization_id) as connection:
            connection.execute("SET LOCAL lock_timeout = '2s'")
            add_events(connection, late)
        job.commit()
        writer.commit()
    # Then nothing is lost, before and after the next run
    with database.transaction(tenant.organization_id) as connection:
        assert marks(connection) == 2
        assert told(connection) == added_up([*first, *unfinished, *late])
        assert roll_day(connection, DAY)
    with database.transaction(tenant.organization_id) as connection:
        assert (marks(connection), roll_day(connection, DAY)) == (0, False)
        assert told(connection) == added_up([*first, *unfinished, *late])


def test_jobs_and_writers_at_once_end_with_the_events_sums(
    tenant: Tenant, database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids
) -> None:
    batches = [made(ids, 5) for _ in range(24)]

    def work(number: int) -> None:
        with psycopg.connect(database_urls.app, row_factory=dict_row) as connection:
            for batch in batches[number::4]:
                begin = "SELECT app.begin_request(%s, NULL, '{}'::jsonb)"
                connection.execute(begin, (tenant.organization_id,))
                add_events(connection, batch)
                connection.commit()
                connection.execute(begin, (tenant.organization_id,))
                roll_day(connection, DAY)
                connection.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with database.transaction(tenant.organization_id) as connection:
        roll_day(connection, DAY)
        assert marks(connection) == 0
        assert told(connection) == added_up(event for batch in batches for event in batch)
        rows = sums(connection)
    assert [row[0] for row in rows] == list(TABLES)


class _Killed(Exception):
    pass


class _CutShort:
    """A connection that is gone at its n-th statement."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection = connection
        self._left = statements

    def execute(self, *arguments: Any) -> Any:
        if self._left == 0:
            raise _Killed
        self._left -= 1
        return self._connection.execute(*arguments)


def test_a_run_that_is_killed_at_any_step_is_made_up_for(tenant: Tenant, database: Database, ids: UuidV7Ids) -> None:
    # Given sums, and events that are not in them
    before, after = made(ids, 2), made(ids, 3)
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, before)
        roll_day(connection, DAY)
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, after)
        kept = sums(connection)
    for step in range(5):
        # When
        with pytest.raises(_Killed), database.transaction(tenant.organization_id) as connection:
            roll_day(_CutShort(connection, step), DAY)  # type: ignore[arg-type]
        # Then nothing has changed, and reports are right
        with database.transaction(tenant.organization_id) as connection:
            assert sums(connection) == kept
            assert told(connection) == added_up([*before, *after])
    # And the next run does it
    with database.transaction(tenant.organization_id) as connection:
        assert roll_day(connection, DAY)
        assert told(connection) == added_up([*before, *after])
        assert len(sums(connection)) == len(kept)


def test_a_run_is_bounded_and_each_tenant_has_its_turn(
    make_tenant: Callable[[], Tenant],
    database: Database,
    roller: UsageRoller,
    ids: UuidV7Ids,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given one tenant with many days and one with one
    while roller.roll():
        pass
    busy, quiet = make_tenant(), make_tenant()
    for tenant, days in ((busy, 4), (quiet, 1)):
        with database.transaction(tenant.organization_id) as connection:
            add_events(connection, [made(ids, 1, created_at=NOON - timedelta(days=day))[0] for day in range(days)])
    monkeypatch.setattr(rolling, "MAX_DAYS", 2)
    # When
    assert roller.roll() == 2
    # Then
    left = []
    for tenant in (busy, quiet):
        with database.transaction(tenant.organization_id) as connection:
            left.append(marks(connection))
    assert left == [3, 0]
    assert (roller.roll(), roller.roll(), roller.roll()) == (2, 1, 0)


def test_days_are_closed_for_good_when_their_events_go(
    tenant: Tenant, database: Database, maintainer: Database, roller: UsageRoller, ids: UuidV7Ids
) -> None:
    # Given a day that is summed up, which the maintainer sees only then
    long_ago = datetime(1999, 5, 4, 12, tzinfo=UTC)
    events = made(ids, 2, created_at=long_ago)
    period = Period(long_ago.date(), long_ago.date())
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, events)
    begin, end = datetime(1999, 5, 4, tzinfo=UTC), datetime(1999, 5, 5, tzinfo=UTC)
    with maintainer.transaction(None) as connection:
        assert unrolled(connection, begin, end)
        assert not unrolled(connection, begin - timedelta(days=9), begin)
    roller.roll()
    # When
    with maintainer.transaction(None) as connection:
        assert not unrolled(connection, begin, end)
        close_days(connection, end)
    with database.transaction(tenant.organization_id) as connection:
        connection.execute("DELETE FROM usage_events")
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, made(ids, 1, created_at=long_ago))
    # Then its sums stay as they are, before and after the job
    for _ in range(2):
        with database.transaction(tenant.organization_id) as connection:
            total = reports.measured(connection, reports.Wanted(period, Group.DAY, Narrowed())).total[0]
            assert {name: total[name] for name in MEASURES} == added_up(events)
        roller.roll()
    # But those of end users went with the events
    with database.transaction(tenant.organization_id) as connection:
        assert marks(connection) == 0
        assert {row[0] for row in sums(connection)} == {"usage_daily", "usage_daily_latencies"}


def test_names_that_are_taken_out_while_a_day_is_summed_up_do_not_come_back(
    tenant: Tenant, database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids
) -> None:
    # Given an erasure between a job's reading of the events and its commit
    events = made(ids, 3)
    with database.transaction(tenant.organization_id) as connection:
        add_events(connection, events)
    with psycopg.connect(database_urls.app, row_factory=dict_row) as job:
        job.execute("SELECT app.begin_request(%s, NULL, '{}'::jsonb)", (tenant.organization_id,))
        assert roll_day(job, DAY)
        with database.transaction(tenant.organization_id) as connection:
            connection.execute("UPDATE usage_events SET end_user_id = NULL WHERE end_user_id = 'ada'")
            connection.execute("DELETE FROM usage_daily_end_users WHERE end_user_id = 'ada'")
        job.commit()
    # Then no report shows the name, and the next run leaves it nowhere
    period = Period(DAY, DAY)
    for _ in range(2):
        with database.transaction(tenant.organization_id) as connection:
            assert told(connection) == added_up(events)
            by_end_user = reports.measured(connection, reports.Wanted(period, Group.END_USER, Narrowed()))
            assert by_end_user.rows == []
            roll_day(connection, DAY)
    with database.transaction(tenant.organization_id) as connection:
        assert {row[0] for row in sums(connection)} == {"usage_daily", "usage_daily_latencies"}
        # And what is summed up already is not summed up once more
        connection.execute("UPDATE usage_events SET conversation_id = NULL")
        assert marks(connection) == 0
