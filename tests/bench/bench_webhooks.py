"""What webhooks cost the row that begins a conversation: `python -m tests.bench.bench_webhooks`.

PostgreSQL itself says how long a trigger took; beside it stands the check of the row's foreign key.
"""

import argparse
import statistics
from collections import defaultdict

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant, add_tenant
from tests.postgres import fresh_database, running_server

INSERT = """
    EXPLAIN (ANALYZE, FORMAT JSON)
    INSERT INTO conversations (id, organization_id, bot_id, created_at) VALUES (%s, %s, %s, now())
"""
ENDPOINT = """
    INSERT INTO webhook_endpoints (id, organization_id, url, secret, event_types, created_at, updated_at)
    VALUES (%s, %s, 'https://example.com', '', %s, now(), now())
"""
CASES = {"no webhook": None, "a webhook for another type": ["document.ready"], "a webhook for this type": []}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=500, help="of each case")
    options = arguments.parse_args()
    with running_server() as server, fresh_database(server) as urls:
        database, ids = Database(urls.app), UuidV7Ids(SystemClock())
        for name, types in CASES.items():
            tenant = add_tenant(database, ids)
            if types is not None:
                with database.transaction(tenant.organization_id) as connection:
                    connection.execute(ENDPOINT, (ids.new(), tenant.organization_id, types))
            times = _trigger_times(database, ids, tenant, options.rows)
            told = ", ".join(f"{trigger} {statistics.median(found):.0f} us" for trigger, found in times.items())
            print(f"{name}: {told}")
        database.close()


def _trigger_times(database: Database, ids: UuidV7Ids, tenant: Tenant, rows: int) -> dict[str, list[float]]:
    """Return the microseconds of each trigger, each row in a transaction of its own."""
    times = defaultdict(list)
    for _ in range(rows):
        with database.transaction(tenant.organization_id) as connection:
            row = connection.execute(INSERT, (ids.new(), tenant.organization_id, tenant.bot_id)).fetchone()
        assert row is not None
        for trigger in row["QUERY PLAN"][0]["Triggers"]:
            times["foreign key" if "Constraint Name" in trigger else "webhooks"].append(1000 * trigger["Time"])
    return times


if __name__ == "__main__":
    main()
