"""What is asked of each thing that ChatSphere depends on: as little as shows that it would work."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import chatsphere.db
from chatsphere.db.database import Connection, Database
from chatsphere.ports.cache import Cache
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.queues import QueueGauges
from chatsphere.ports.reach import Reachable
from chatsphere.ports.vectors import Namespace, VectorStore
from chatsphere.upkeep.health import Check, Finding

ESSENTIAL: Final = frozenset({"database", "vector_store", "uploads"})
"""Without these no question is answered and no document taken."""

NOBODY: Final = UUID(int=0)
NO_KEY: Final = "health"

REVISION: Final = "SELECT version_num AS revision FROM alembic_version"
PARTITIONS: Final = """
    SELECT table_name, starts_at, ends_at FROM app.list_partitions() WHERE NOT is_default ORDER BY table_name, starts_at
"""

SOON: Final = timedelta(days=3)
"""Partitions are made daily, and long before their time: that they end so soon, no job has run for long."""

MIGRATIONS: Final = Path(chatsphere.db.__file__).parent / "migrations" / "versions"


def database_check(database: Database, now: datetime) -> Check:
    """Return what asks for the schema's revision, and how far ahead there are partitions."""

    def check() -> Finding:
        with database.transaction(None) as connection:
            revision = connection.execute(REVISION).fetchone()
            ahead = _days_ahead(connection, now)
        found = revision["revision"] if revision else None
        details = {"revision": found, "expected_revision": expected_revision(), "partitions_ahead_days": ahead}
        if found is None or found < (details["expected_revision"] or found):
            return Finding("revision_behind", "down", details)
        if found > (details["expected_revision"] or found):
            return Finding("revision_ahead", "degraded", details)
        if any(days < SOON.days for days in ahead.values()):
            return Finding("partitions_missing", "degraded", details)
        return Finding(details=details)

    return check


def reach_check(database: Database) -> Check:
    """Return what asks whether the database answers at all."""

    def check() -> Finding:
        with database.transaction(None) as connection:
            connection.execute("SELECT 1")
        return Finding()

    return check


def expected_revision() -> str | None:
    """Return the revision that this release's code is for; None where the migrations are not part of it."""
    return max((path.name.partition("_")[0] for path in MIGRATIONS.glob("*.sql")), default=None)


def vector_store_check(store: Callable[[], VectorStore], kind: Callable[[], str]) -> Check:
    """Return what counts the vectors of nobody."""

    def check() -> Finding:
        store().count(Namespace(NOBODY, NOBODY))
        return Finding(details={"kind": kind()})

    return check


def bucket_check(store: Callable[[], ObjectStore]) -> Check:
    """Return what looks for objects where none are: that needs no right to read any."""

    def check() -> Finding:
        next(store().keys(NO_KEY), None)
        return Finding()

    return check


def queues_check(gauges: Callable[[], QueueGauges | None]) -> Check:
    """Return what looks how long the queues are."""

    def check() -> Finding:
        found = gauges()
        if found is None:
            return Finding("not_configured", "degraded")
        lengths = found.lengths()
        details = {name: {"waiting": length.waiting, "dead": length.dead} for name, length in lengths.items()}
        if any(length.dead for length in lengths.values()):
            return Finding("dead_messages", "degraded", details)
        return Finding(details=details)

    return check


def model_check(models: Callable[[], Mapping[str, Reachable | None]], name: str) -> Check:
    """Return what asks a vendor for the description of a model."""

    def check() -> Finding:
        model = models()[name]
        if model is None:
            return Finding(details={"runs": "in the functions"})
        model.reach()
        return Finding(details={"runs": "at its vendor"})

    return check


def cache_check(cache: Callable[[], Cache | None], kind: Callable[[], str]) -> Check:
    """Return what counts the entries of nobody. Without its cache all works, only slower."""

    def check() -> Finding:
        found = cache()
        if found is not None:
            found.count(NOBODY, NOBODY)
        return Finding(details={"kind": kind()})

    return check


def _days_ahead(connection: Connection, now: datetime) -> dict[str, int]:
    """Return for each table for how many days from now there are partitions without a gap."""
    until: dict[str, datetime] = {}
    rows: Iterable[Mapping[str, Any]] = connection.execute(PARTITIONS)
    for row in rows:
        reached = until.setdefault(row["table_name"], now)
        if row["starts_at"] <= reached < row["ends_at"]:
            until[row["table_name"]] = row["ends_at"]
    return {table: (reached - now).days for table, reached in until.items()}
