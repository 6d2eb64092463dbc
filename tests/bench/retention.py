"""What a retention run takes: `python -m tests.bench.retention [MESSAGES]`, on an embedded PostgreSQL.

Ten organizations with conversations of ten messages over half a year, every twentieth of which goes on for 60 days, by
the default policy; then once more, when nothing is due.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant, add_tenant
from tests.fakes import FixedClock
from tests.integration.retention.driving import Retention
from tests.postgres import fresh_database, running_server

TENANTS = 10
NOW = datetime(2027, 6, 15, 10, 30, tzinfo=UTC)

CONVERSATIONS = """
    INSERT INTO conversations (id, organization_id, bot_id, end_user_id, created_at, updated_at)
    SELECT gen_random_uuid(), %(organization)s, %(bot)s, 'user ' || n %% 100, begun,
        begun + CASE WHEN n %% 20 = 0 THEN interval '60 days' ELSE interval '10 minutes' END
    FROM (SELECT n, %(now)s::timestamptz - n * 180.0 / %(count)s * interval '1 day' - interval '1 hour' AS begun
          FROM generate_series(1, %(count)s) n) s
"""
MESSAGES = """
    INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)
    SELECT gen_random_uuid(), c.organization_id, c.bot_id, c.id,
        CASE WHEN m = 0 THEN 'system' WHEN m %% 2 = 0 THEN 'assistant' ELSE 'user' END,
        (SELECT string_agg(md5(c.id::text || m || w), ' ') FROM generate_series(1, 8) w),
        c.created_at + (c.updated_at - c.created_at) * m / 10.0
    FROM conversations c, generate_series(0, 9) m WHERE c.organization_id = %(organization)s
"""


def main() -> None:
    """Fill, list, run, and run again."""
    logging.disable(logging.CRITICAL)
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with running_server({}) as server, fresh_database(server) as urls:
        database, ids = Database(urls.app), UuidV7Ids(SystemClock())
        tenants = [add_tenant(database, ids) for _ in range(TENANTS)]
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            for tenant in tenants:
                _fill(admin, tenant, messages // TENANTS // 10)
            admin.execute("DELETE FROM memory_pending")
            admin.execute("VACUUM ANALYZE")
        print(f"{messages} messages of {TENANTS} organizations")
        with timed("dry runs"):
            _each(tenants, database, ids, lambda run: run.run(dry_run=True))
        with timed("runs"):
            _each(tenants, database, ids, lambda run: run.run())
        with timed("runs with nothing due"):
            _each(tenants, database, ids, lambda run: run.run())
        database.close()


def _fill(admin: psycopg.Connection, tenant: Tenant, conversations: int) -> None:
    values = {"organization": tenant.organization_id, "bot": tenant.bot_id, "now": NOW, "count": conversations}
    admin.execute(CONVERSATIONS, values)
    admin.execute(MESSAGES, values)


def _each(
    tenants: list[Tenant], database: Database, ids: UuidV7Ids, work: Callable[[Retention], dict[str, object]]
) -> None:
    reports = [work(Retention(tenant, database, ids, FixedClock(NOW)))["report"] for tenant in tenants]
    removed: dict[str, int] = {}
    for report in reports:
        assert isinstance(report, dict)
        for kind, number in report["removed"].items():
            removed[kind] = removed.get(kind, 0) + number
    first = reports[0]
    assert isinstance(first, dict)
    estimate = first["estimate"]
    print(f"  removed {removed}; of the first: {first['archived_bytes']} archived bytes of {estimate['bytes']}")


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Print how long the block took."""
    began = time.perf_counter()
    yield
    print(f"{name}: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
