"""What the history costs: its triggers on a document's way through ingestion, a stream's look, a status.

Run as `python -m tests.bench.bench_history`. Of each the fastest call counts, so that what else the machine does is
left out; the triggers' times are those that PostgreSQL itself reports (EXPLAIN ANALYZE).
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.knowledge.history.changes import changes_since, present
from chatsphere.knowledge.history.status import ingestion_status, under_way
from tests.conftest import Tenant, add_tenant
from tests.postgres import fresh_database, running_server

CALLS: Final = 200
DOCUMENTS: Final = 10_000
IDS = UuidV7Ids(SystemClock())
CLOCK = SystemClock()
OURS: Final = ("history", "history_update", "change", "change_update", "training")
TRIGGER_TIME: Final = re.compile(r"Trigger (\w+): time=([\d.]+)")

STEPS: Final = {
    "registered": """
        INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation)
        VALUES (%(id)s, app.current_organization(), %(bot_id)s, 'a', 's3', 'registered', 'extract', 1)""",
    "the bot's training begins": "UPDATE bots SET status = 'training' WHERE id = %(bot_id)s",
    "extracting": "UPDATE documents SET status = 'extracting', attempts = 1 WHERE id = %(id)s",
    "embedding": "UPDATE documents SET status = 'embedding', stage = 'embed', attempts = 0 WHERE id = %(id)s",
    "ready": """
        UPDATE documents SET status = 'ready', stage = 'done', live_generation = 1, chunk_count = 3, token_count = 600
        WHERE id = %(id)s""",
    "the bot's training ends": "UPDATE bots SET status = 'trained' WHERE id = %(bot_id)s",
}


def main() -> None:
    """Measure, and print two tables."""
    with running_server() as server, fresh_database(server) as urls:
        database = Database(urls.app)
        taken = triggers(database, add_tenant(database, IDS))
        print("\n| step | triggers ms |\n|---|---:|")
        for step, milliseconds in taken.items():
            print(f"| {step} | {milliseconds:.2f} |")
        print(f"| together | {sum(taken.values()):.2f} |")
        looks(database, add_tenant(database, IDS))
        database.close()


def triggers(database: Database, tenant: Tenant) -> Mapping[str, float]:
    """Return the milliseconds that the history's triggers take in each step."""
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    for _ in range(CALLS):
        values = {"id": uuid4(), "bot_id": tenant.bot_id}
        for step, statement in STEPS.items():
            with database.transaction(tenant.organization_id) as connection:
                plan = connection.execute(f"EXPLAIN (ANALYZE) {statement}".encode(), values).fetchall()
            times = TRIGGER_TIME.findall("\n".join(row["QUERY PLAN"] for row in plan))
            best[step] = min(best[step], sum(float(ms) for name, ms in times if name in OURS))
    return best


def looks(database: Database, tenant: Tenant) -> None:
    """Print what a look of a stream, and a status, take in a bot with many documents."""
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source, status, stage, generation)"
            " SELECT gen_random_uuid(), app.current_organization(), %s, 'a', 's3', 'registered', 'extract', 1"
            " FROM generate_series(1, %s)",
            (tenant.bot_id, DOCUMENTS),
        )
        connection.execute("UPDATE documents SET status = 'ready', stage = 'done', live_generation = 1")
    with database.transaction(tenant.organization_id) as connection:
        cursor = present(connection, CLOCK.now())

    def poll(connection: Any) -> None:
        under_way(connection, tenant.bot_id)
        changes_since(connection, tenant.bot_id, cursor, CLOCK.now())

    print(f"\n| of a bot with {DOCUMENTS:,} documents | ms |\n|---|---:|")
    print(f"| a stream's look, once a second | {fastest(database, tenant, poll):.2f} |")
    status = fastest(database, tenant, lambda connection: ingestion_status(connection, tenant.bot_id))
    print(f"| the status, or a stream's beginning | {status:.2f} |")


def fastest(database: Database, tenant: Tenant, call: Callable[[Any], object]) -> float:
    """Return the milliseconds of the fastest call, its transaction included."""
    best = float("inf")
    for _ in range(CALLS):
        start = time.perf_counter()
        with database.transaction(tenant.organization_id) as connection:
            call(connection)
        best = min(best, (time.perf_counter() - start) * 1000)
    return best


if __name__ == "__main__":
    main()
