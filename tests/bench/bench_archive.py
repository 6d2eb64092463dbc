"""What the archive writes in a day: each tenant moves a day's conversations, and again for the days that follow.

    python -m tests.bench.bench_archive --tenants 1000 --days 1
    python -m tests.bench.bench_archive --tenants 20 --days 31

PostgreSQL is real, the bucket is in memory and counts what is asked of it.
"""

import argparse
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from psycopg import conninfo

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import add_tenant
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.integration.archive.world import ArchiveWorld
from tests.postgres import fresh_database, running_server

TEXT = "What does the annual plan cost, and may it be ended early? " * 5
CONVERSATIONS = 5
MESSAGES = 4


class CountingStore(InMemoryObjectStore):
    """Counts requests and bytes."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.asked: Counter[str] = Counter()

    def put(self, key: str, body: bytes, **about: Any) -> Any:
        self.asked["PUT"] += 1
        self.asked["bytes put"] += len(body)
        return super().put(key, body, **about)

    def download(self, *arguments: Any, **about: Any) -> Any:
        self.asked["GET"] += 1
        return super().download(*arguments, **about)

    def versions(self, key: str) -> Any:
        self.asked["LIST"] += 1
        return super().versions(key)

    def delete_versions(self, *arguments: Any) -> int:
        self.asked["DELETE"] += 1
        return super().delete_versions(*arguments)


@contextmanager
def worlds(tenants: int) -> Iterator[list[ArchiveWorld]]:
    """Tenants with a bot each, in one database and one bucket."""
    ids, clock = UuidV7Ids(SystemClock()), FixedClock()
    store = CountingStore(clock)
    with running_server() as server, fresh_database(server) as urls:
        database = Database(conninfo.make_conninfo(urls.app, options="-c synchronous_commit=off"))
        yield [ArchiveWorld(add_tenant(database, ids), database, ids, clock, store) for _ in range(tenants)]
        database.close()


def main() -> None:
    """Print one line a day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1)
    chosen = parser.parse_args()
    with worlds(chosen.tenants) as tenants:
        store, clock = tenants[0].store, tenants[0].clock
        for day in range(chosen.days):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
            batches = [[each.talk(messages=[TEXT] * MESSAGES, at=at) for _ in range(CONVERSATIONS)] for each in tenants]
            store.asked.clear()
            began = perf_counter()
            for world, conversations in zip(tenants, batches, strict=True):
                world.move(*conversations, days=2555)
            seconds = perf_counter() - began
            clock.advance(timedelta(days=1))
            rows = chosen.tenants * CONVERSATIONS * (MESSAGES + 1)
            print(f"day {day + 1}: {rows} rows of {chosen.tenants} tenants in {seconds:.1f} s, {dict(store.asked)}")
        stored = [found for found in store.saved().values() if found]
        size = sum(len(version.body or b"") for found in stored for version in found)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{len(stored)} files, {size} bytes, peak {peak} MB (the bucket included)")


if __name__ == "__main__":
    main()
