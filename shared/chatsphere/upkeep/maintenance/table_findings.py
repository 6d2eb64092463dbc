"""What follows from what was measured of tables: their age, what is dead in them, how they are read. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatsphere.upkeep.maintenance.model import Finding, Measures

MIB: Final = 1024 * 1024
LARGE_ROWS: Final = 10_000
DEAD_SHARE: Final = 0.2
FREEZE_SHARE: Final = 0.75
OLDEST_TABLES: Final = 3
FEW_SCANS: Final = 100
SCANS_A_DAY: Final = 24
DAY_SECONDS: Final = 24 * 3600


def table_findings(measures: Measures) -> Iterator[Finding]:
    """Yield what an operator should know of tables."""
    yield from _wraparound(measures)
    for table in measures.tables:
        yield from _table(table, measures.server["counted_seconds"])


def _wraparound(measures: Measures) -> Iterator[Finding]:
    """Ids of transactions, and of groups of row locks, are used up as the same kind of number."""
    server = measures.server
    oldest = sorted(measures.tables, key=lambda table: table["xid_age"], reverse=True)[:OLDEST_TABLES]
    vacuum = " ".join(f"VACUUM (FREEZE, VERBOSE) {_qualified(table)};" for table in oldest)
    for code, what, age, limit in (
        ("transaction_ids", "transaction id", server["oldest_xid_age"], server["freeze_max_age"]),
        ("multixact_ids", "group of row locks", server["oldest_mxid_age"], server["multixact_freeze_max_age"]),
    ):
        if age > FREEZE_SHARE * limit:
            yield Finding(
                code,
                "critical" if age > 2 * limit else "warning",
                "server",
                f"The oldest {what} is {age:,} old; at 2 billion the server takes no writes.",
                "See why vacuum does not get through: a long transaction below, or autovacuum switched off. "
                "End that first; then vacuum, the oldest tables first.",
                vacuum or "VACUUM (FREEZE, VERBOSE);",
            )


def _qualified(table: Mapping[str, Any]) -> str:
    return f"{table['schema_name']}.{table['table_name']}"


def _is_read_as_a_whole(table: Mapping[str, Any], counted_seconds: int) -> bool:
    """Whether a large table is read from end to end, and not only by a backup a day."""
    scans, days = table["sequential_scans"], max(counted_seconds / DAY_SECONDS, 1)
    if (
        table["live_rows"] < LARGE_ROWS
        or scans <= FEW_SCANS
        or table["rows_read_sequentially"] / scans < LARGE_ROWS / 2
    ):
        return False
    return bool(scans > table["index_scans"] or scans / days > SCANS_A_DAY)


def _table(table: Mapping[str, Any], counted_seconds: int) -> Iterator[Finding]:
    name, rows = table["table_name"], table["live_rows"] + table["dead_rows"]
    if rows >= LARGE_ROWS and table["dead_rows"] > DEAD_SHARE * rows:
        share = table["dead_rows"] / rows
        yield Finding(
            "bloat",
            "warning",
            name,
            f"{100 * share:.0f}% of its rows are dead: about {share * table['bytes'] / MIB:.0f} MiB hold nothing.",
            "Vacuum it. If it comes back, let autovacuum come earlier for this table.",
            f"VACUUM (ANALYZE) {_qualified(table)};",
        )
    if _is_read_as_a_whole(table, counted_seconds):
        yield Finding(
            "read_as_a_whole",
            "warning",
            name,
            f"{table['sequential_scans']} times it was read from end to end; it has {table['live_rows']:,} rows.",
            "Find the statement that names it, by pg_stat_statements or in the server's log once "
            "log_min_duration_statement is set, and make an index of the columns that it looks for.",
        )
    if table["live_rows"] >= LARGE_ROWS and table["analyzed_at"] is None:
        yield Finding(
            "never_analyzed",
            "info",
            name,
            "The planner knows nothing of it and guesses.",
            "The maintenance job analyzes it; if this stays, see its log.",
            f"ANALYZE {_qualified(table)};",
        )
