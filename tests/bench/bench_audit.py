"""What the audit triggers cost: a bot inserted and changed in a transaction of its own, with and without them.

Run as `python -m tests.bench.bench_audit`. The server does not wait for the disk, so the ratio is the worst there is.
Blocks with and without triggers take turns, and of each the fastest twentieth counts: what else the machine does is
left out.
"""

import time
from collections.abc import Callable
from statistics import quantiles
from uuid import UUID

import psycopg

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant, add_tenant
from tests.postgres import fresh_database, running_server

BLOCKS, CALLS = 40, 50
IDS = UuidV7Ids(SystemClock())


def main() -> None:
    """Measure, and print a table."""
    with (
        running_server() as server,
        fresh_database(server) as urls,
        psycopg.connect(urls.admin, autocommit=True) as admin,
    ):
        database = Database(urls.app)
        tenant = add_tenant(database, IDS)
        print("\n| what | without ms | with ms | added ms | ratio |\n|---|---:|---:|---:|---:|")
        for name, call in (("insert a bot", insert), ("change a bot", change), ("change nothing of it", touch)):
            without, with_triggers = measure(admin, lambda number, call=call: call(database, tenant, number))  # type: ignore[misc]
            added, ratio = with_triggers - without, with_triggers / without
            print(f"| {name} | {without:.3f} | {with_triggers:.3f} | {added:.3f} | {ratio:.2f} |")
        database.close()


def measure(admin: psycopg.Connection, call: Callable[[int], None]) -> tuple[float, float]:
    """Return the milliseconds of a call without and with the triggers, 95 of 100 calls taking longer."""
    taken: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for block in range(BLOCKS):
        for state, milliseconds in taken.items():
            admin.execute(f"ALTER TABLE bots {state} TRIGGER USER")
            call(-1)
            for number in range(CALLS):
                start = time.perf_counter()
                call(block * CALLS + number)
                milliseconds.append((time.perf_counter() - start) * 1000)
    return quantiles(taken["DISABLE"], n=20)[0], quantiles(taken["ENABLE"], n=20)[0]


def insert(database: Database, tenant: Tenant, number: int) -> None:
    """Insert a bot."""
    values = (IDS.new(), tenant.organization_id, f"Bot {number}", "You answer briefly. " * 20)
    with database.transaction(tenant.organization_id, tenant.user_id) as connection:
        connection.execute(
            "INSERT INTO bots (id, organization_id, name, system_prompt) VALUES (%s, %s, %s, %s)", values
        )


def change(database: Database, tenant: Tenant, number: int) -> None:
    """Change a bot's description."""
    _update(database, tenant, "description = %s", f"Description {number} {time.perf_counter_ns()}")


def touch(database: Database, tenant: Tenant, _number: int) -> None:
    """Change what is not audited."""
    _update(database, tenant, "updated_at = now(), description = COALESCE(%s, description)", None)


def _update(database: Database, tenant: Tenant, assignment: str, value: str | None) -> None:
    bot_id: UUID = tenant.bot_id
    with database.transaction(tenant.organization_id, tenant.user_id) as connection:
        connection.execute(f"UPDATE bots SET {assignment} WHERE id = %s".encode(), (value, bot_id))


if __name__ == "__main__":
    main()
