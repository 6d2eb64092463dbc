"""What roll-ups cost and save: marking a day with each event, summing up one day of many, and reading a month.

Run as `python -m tests.bench.bench_roll_up [--days 30] [--events 5000]` (events a day, of one tenant). The server does
not wait for the disk, so the ratios of writing are the worst there are. Blocks with and without the trigger take turns,
and of each the fastest twentieth counts: what else the machine does is left out.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Final

import psycopg

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.insights import reports
from chatsphere.insights.asking import Group, Narrowed, Period
from chatsphere.insights.rolling import roll_day
from tests.conftest import Tenant, add_tenant
from tests.postgres import fresh_database, running_server

BLOCKS, CALLS, WRITERS = 30, 40, 8
IDS: Final = UuidV7Ids(SystemClock())
NOON: Final = datetime.now(UTC).replace(hour=12)

ADD = """
    INSERT INTO usage_events (id, organization_id, bot_id, metric, model, channel, end_user_id, finish_reason,
        prompt_tokens, completion_tokens, cost_microdollars, total_ms, first_token_ms, retrieve_ms, created_at)
    SELECT gen_random_uuid(), app.current_organization(), %(bot)s, 'chat.answer', 'model-' || n %% 2, 'api',
        'user-' || n %% 200, 'stop', 900, 120, 400, 500 + n %% 3000, 200 + n %% 700, 20 + n %% 90,
        %(at)s - n * interval '1 second'
    FROM generate_series(1, %(number)s) AS n
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--events", type=int, default=5000)
    asked = parser.parse_args()
    with (
        running_server() as server,
        fresh_database(server) as urls,
        psycopg.connect(urls.admin, autocommit=True) as admin,
    ):
        database = Database(urls.app)
        tenant = add_tenant(database, IDS)
        print("\n| an event's transaction | without marks | with marks | ratio |\n|---|---:|---:|---:|")
        without, marked = one_writer(admin, database, tenant)
        print(f"| one writer | {without:.3f} ms | {marked:.3f} ms | {marked / without:.2f} |")
        without, marked = many_writers(admin, urls.app, tenant)
        print(f"| {WRITERS} writers of one tenant | {without:.0f}/s | {marked:.0f}/s | {without / marked:.2f} |")
        summing(database, add_tenant(database, IDS), asked.days, asked.events)
        database.close()


def one_writer(admin: psycopg.Connection, database: Database, tenant: Tenant) -> tuple[float, float]:
    """Return the milliseconds of an event's transaction without and with its mark, 95 of 100 taking longer."""
    taken: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for _ in range(BLOCKS):
        for state, times in taken.items():
            switch(admin, state)
            times += [timed(lambda: add(database, tenant, 1)) * 1000 for _ in range(CALLS)]
    return quantiles(taken["DISABLE"], n=20)[0], quantiles(taken["ENABLE"], n=20)[0]


def many_writers(admin: psycopg.Connection, url: str, tenant: Tenant) -> tuple[float, float]:
    """Return the events per second that writers of one tenant add together, without and with marks."""
    databases = [Database(url) for _ in range(WRITERS)]

    def write(database: Database) -> None:
        for _ in range(50):
            add(database, tenant, 1)

    rates: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in range(7):
            for state, found in rates.items():
                switch(admin, state)
                found.append(WRITERS * 50 / timed(lambda: list(pool.map(write, databases))))
    for database in databases:
        database.close()
    return median(rates["DISABLE"]), median(rates["ENABLE"])


def summing(database: Database, tenant: Tenant, days: int, events: int) -> None:
    """Print how long a month's sums take from nothing and after one event, and a month's report either way."""
    moments = [NOON - timedelta(days=day) for day in range(days)]
    period = Period(moments[-1].date(), moments[0].date())

    def report() -> None:
        with database.transaction(tenant.organization_id) as connection:
            reports.measured(connection, reports.Wanted(period, Group.DAY, Narrowed()))
            reports.timed(connection, reports.Wanted(period, Group.DAY, Narrowed()))

    def roll() -> None:
        for moment in moments:
            with database.transaction(tenant.organization_id) as connection:
                roll_day(connection, moment.date())

    for moment in moments:
        add(database, tenant, events, moment)
    of_events = min(timed(report) for _ in range(3))
    whole = timed(roll)
    of_sums = min(timed(report) for _ in range(3))
    add(database, tenant, 1)
    one = timed(roll)
    print(f"\n{days} days of {events} events\n\n| what | ms |\n|---|---:|")
    for what, seconds in (
        ("sum up all days", whole),
        ("sum up after one more event", one),
        ("report and percentiles from events", of_events),
        ("report and percentiles from sums", of_sums),
    ):
        print(f"| {what} | {seconds * 1000:.0f} |")
    print(f"\nA full recompute takes {whole / one:.0f} times as long; a report from events {of_events / of_sums:.0f}.")


def add(database: Database, tenant: Tenant, number: int, at: datetime = NOON) -> None:
    """Add events in one transaction."""
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(ADD, {"bot": tenant.bot_id, "number": number, "at": at})


def switch(admin: psycopg.Connection, state: str) -> None:
    """Switch the trigger, and forget the marks."""
    admin.execute(f"ALTER TABLE usage_events {state} TRIGGER mark_usage")
    admin.execute("DELETE FROM usage_marks")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
