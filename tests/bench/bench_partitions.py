"""What letting a month go costs: its partition detached and dropped, against DELETE of the same rows; and for how long
others who write wait.

Run as `python -m tests.bench.bench_partitions [--rows 200000]`. Both on the same server in the same run, which does not
wait for the disk: DELETE, which writes more, is the faster for it. While the partition goes, a thread inserts usage
events of the present one after the other; the longest of its pauses is what a request would have waited.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

import psycopg

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.db.migrate import LOGIN_ROLES, migrate, with_passwords
from tests.conftest import Tenant, add_tenant
from tests.postgres import PASSWORD, DatabaseUrls, fresh_database, running_server

IDS: Final = UuidV7Ids(SystemClock())
MONTHS: Final = {"partition": datetime(2020, 1, 1, tzinfo=UTC), "DELETE": datetime(2020, 2, 1, tzinfo=UTC)}

FILL = """
    INSERT INTO usage_events (id, organization_id, bot_id, metric, prompt_tokens, completion_tokens, created_at)
    SELECT gen_random_uuid(), %(organization)s, %(bot)s, 'chat.answer', 900, 120,
        %(month)s + (n * interval '28 days') / %(rows)s
    FROM generate_series(0, %(rows)s - 1) AS n
"""
WRITE = """
    INSERT INTO usage_events (id, organization_id, bot_id, metric, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot)s, 'chat.answer', now())
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with running_server() as server, fresh_database(server) as urls:
        tenant = fill(urls, rows)
        with psycopg.connect(urls.maintainer, autocommit=True) as maintainer:
            calm = waited_while(urls, tenant, lambda: time.sleep(1))
            detach = waited_while(urls, tenant, lambda: detached(maintainer))
            drop = waited_while(urls, tenant, lambda: dropped(maintainer))
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            delete = waited_while(urls, tenant, lambda: admin.execute(DELETE, {"month": MONTHS["DELETE"]}))
            vacuum = waited_while(urls, tenant, lambda: admin.execute("VACUUM usage_events_y2020m02"))
        migration = migrated(server, rows)
    print(f"\n{rows} rows of a month\n\n| what | seconds | longest wait of a writer (ms) |\n|---|---:|---:|")
    measured = {"nothing": calm, "detach": detach, "drop": drop, "DELETE": delete, "VACUUM after it": vacuum}
    for what, (seconds, wait) in measured.items():
        print(f"| {what} | {seconds:.3f} | {1000 * wait:.1f} |")
    ratio = (delete[0] + vacuum[0]) / (detach[0] + drop[0])
    print(f"\nDELETE and VACUUM take {ratio:.0f} times as long as detaching and dropping.")
    print(f"Revision 0018 makes the table with {rows} rows a partition in {migration:.2f} s.")


DELETE = "DELETE FROM usage_events WHERE created_at >= %(month)s AND created_at < %(month)s + interval '1 month'"


def fill(urls: DatabaseUrls, rows: int) -> Tenant:
    """Make two months of the same number of rows."""
    database = Database(urls.app)
    tenant = add_tenant(database, IDS)
    database.close()
    with psycopg.connect(urls.maintainer, autocommit=True) as maintainer:
        for month in MONTHS.values():
            maintainer.execute(
                "SELECT app.make_partition('usage_events', %(month)s, %(month)s + interval '1 month')", {"month": month}
            )
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        for month in MONTHS.values():
            values = {"organization": tenant.organization_id, "bot": tenant.bot_id, "rows": rows, "month": month}
            admin.execute(FILL, values)
        admin.execute("VACUUM ANALYZE usage_events")
    return tenant


def migrated(server: str, rows: int) -> float:
    """Return the seconds in which the release's migration makes a table with rows a partition; writers wait so long."""
    with fresh_database(server, revision="0017") as urls:
        database = Database(urls.app)
        tenant = add_tenant(database, IDS)
        database.close()
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            values = {"organization": tenant.organization_id, "bot": tenant.bot_id, "rows": rows}
            admin.execute(FILL, values | {"month": MONTHS["DELETE"]})
        begun = time.perf_counter()
        migrate(urls.admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)), revision="0018")
        return time.perf_counter() - begun


def detached(maintainer: psycopg.Connection) -> None:
    """Take January out of the table."""
    maintainer.execute("SELECT app.detach_partition(%s, 'usage_events_y2020m01', '{}', now())", (IDS.new(),))


def dropped(maintainer: psycopg.Connection) -> None:
    """Drop it, as if it had been archived."""
    maintainer.execute("UPDATE partition_retirements SET status = 'archived'")
    maintainer.execute("SELECT app.drop_retired_partition(id, now()) FROM partition_retirements")


def waited_while(urls: DatabaseUrls, tenant: Tenant, work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that the work took, and the longest that a writer waited meanwhile."""
    over, ready, longest = Event(), Event(), [0.0]

    def write() -> None:
        database = Database(urls.app)
        while not over.is_set():
            begun = time.perf_counter()
            with database.transaction(tenant.organization_id) as connection:
                connection.execute(WRITE, {"id": IDS.new(), "bot": tenant.bot_id})
            if ready.is_set():
                longest[0] = max(longest[0], time.perf_counter() - begun)
            ready.set()
        database.close()

    writer = Thread(target=write)
    writer.start()
    ready.wait()
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    over.set()
    writer.join()
    return seconds, longest[0]


if __name__ == "__main__":
    main()
