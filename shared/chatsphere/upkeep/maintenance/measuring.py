"""Measuring the database: each question by itself, so that one that takes too long spoils no other."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.upkeep.maintenance import overdue_queries, queries
from chatsphere.upkeep.maintenance.model import Measures

STATEMENT_MS: Final = 20_000

STALE_SHARE: Final = 0.1
STALE_ROWS: Final = 1000
STALE_AFTER: Final = timedelta(days=7)
"""So long a partitioned table's own statistics may stay as they are."""

QUESTIONS: Final = {
    "tables": queries.TABLES,
    "unused_indexes": queries.UNUSED_INDEXES,
    "duplicate_indexes": queries.DUPLICATE_INDEXES,
    "unindexed_keys": queries.UNINDEXED_KEYS,
    "sessions": queries.SESSIONS,
    "statements": queries.STATEMENTS,
    "replicas": queries.REPLICAS,
    "default_rows": queries.DEFAULT_ROWS,
    "retirements": queries.RETIREMENTS,
    "overdue": overdue_queries.OVERDUE,
    "unguarded": overdue_queries.UNGUARDED,
}


def measure(database: Database, now: datetime) -> Measures:
    """Return what PostgreSQL says of itself, and what is overdue `now`; what it did not say in time is empty.

    Raises:
        UnavailableError: the database does not answer at all.
    """
    server = _ask(database, queries.SERVER)[0]
    found = {}
    for kind, question in QUESTIONS.items():
        try:
            found[kind] = _ask(database, question, {"now": now})
        except UnavailableError:
            logger.warning("not measured", kind=kind)
    return Measures(server, **found)


def analyze_stale(database: Database, measures: Measures, clock: Clock, deadline: datetime) -> list[str]:
    """Count anew what the planner knows of tables that changed much since, until the deadline; return which."""
    analyzed: list[str] = []
    for table in stale_tables(measures, _ask(database, queries.PARENTS), clock.now()):
        if clock.now() >= deadline:
            break
        try:
            _ask(database, queries.ANALYZE, {"table_name": table})
            analyzed.append(table)
        except UnavailableError:
            logger.warning("not analyzed", table=table)
    return analyzed


def stale_tables(measures: Measures, parents: list[dict[str, Any]], now: datetime) -> Iterator[str]:
    """Yield the tables whose statistics are behind, and the partitioned ones whose partitions changed."""
    changed = set()
    for table in measures.tables:
        if table["changed_rows"] >= max(STALE_ROWS, STALE_SHARE * table["live_rows"]):
            changed.add(table["of_table"])
            if table["of_table"] == table["table_name"]:
                yield table["table_name"]
    for parent in parents:
        analyzed_at = parent["analyzed_at"]
        is_old = analyzed_at is None or now - analyzed_at > STALE_AFTER
        if parent["table_name"] in changed or (is_old and _has_rows(measures, parent["table_name"])):
            yield parent["table_name"]


def _has_rows(measures: Measures, parent: str) -> bool:
    return any(table["of_table"] == parent and table["live_rows"] for table in measures.tables)


def _ask(database: Database, question: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    with database.transaction(None, statement_ms=STATEMENT_MS) as connection:
        return connection.execute(question, values).fetchall()
