"""What follows from what was measured. Pure: the rules, and the numbers behind them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from chatsphere.upkeep.maintenance.model import SEVERITIES, Finding, Measures
from chatsphere.upkeep.maintenance.overdue import overdue_findings
from chatsphere.upkeep.maintenance.table_findings import LARGE_ROWS, MIB, table_findings

UNUSED_BYTES: Final = MIB
COUNTED_SECONDS: Final = 7 * 24 * 3600
"""So long statistics must have been counted for an index to be called unused."""
HIT_SHARE: Final = 0.95
CONNECTION_SHARE: Final = 0.8
LONG_SECONDS: Final = 300
SLOW_MS: Final = 1000
LAG_SECONDS: Final = 30
STUCK: Final = timedelta(days=2)


def findings_of(measures: Measures, now: datetime) -> list[Finding]:
    """Return all that an operator should know, the worst first."""
    found = [
        *_server(measures.server),
        *table_findings(measures),
        *_indexes(measures),
        *_sessions(measures),
        *_partitions(measures, now),
        *overdue_findings(measures),
    ]
    return sorted(found, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code, finding.about))


def _server(server: Mapping[str, Any]) -> Iterator[Finding]:
    read = server["blocks_hit"] + server["blocks_read"]
    if read > 100_000 and server["blocks_hit"] < HIT_SHARE * read:
        yield Finding(
            "cache_hit_rate",
            "warning",
            "server",
            f"Only {100 * server['blocks_hit'] / read:.0f}% of the blocks that were asked for were in memory.",
            "Give the server more memory, or find in this report which tables are read as a whole.",
        )
    if server["connections"] > CONNECTION_SHARE * server["max_connections"]:
        yield Finding(
            "connections",
            "critical",
            "server",
            f"{server['connections']} of {server['max_connections']} connections are used; then nobody gets another.",
            "Lower the functions' concurrency, put a proxy before the database, or raise max_connections.",
        )
    if not server["counts_statements"]:
        yield Finding(
            "statements_not_counted",
            "info",
            "server",
            "The server keeps no statistics of statements, so that slow ones are seen only while they run.",
            "Put pg_stat_statements into shared_preload_libraries, where the server has it, and restart it.",
            "CREATE EXTENSION pg_stat_statements;",
        )


def _indexes(measures: Measures) -> Iterator[Finding]:
    if measures.server["counted_seconds"] >= COUNTED_SECONDS:
        for index in measures.unused_indexes:
            if index["bytes"] >= UNUSED_BYTES:
                yield Finding(
                    "unused_index",
                    "info",
                    index["index_name"],
                    "No statement has read it since statistics are counted; it takes "
                    f"{index['bytes'] / MIB:.0f} MiB, and time at each write.",
                    "An index of ours may serve what happens rarely, such as an erasure: ask before you drop it.",
                )
    for index in measures.duplicate_indexes:
        kept, *others = index["indexes"]
        yield Finding(
            "duplicate_index",
            "warning",
            ", ".join(others),
            f"The same as {kept}.",
            "Drop it, unless a constraint needs it.",
            " ".join(f"DROP INDEX CONCURRENTLY public.{other};" for other in others),
        )
    for key in measures.unindexed_keys:
        columns = ", ".join(key["columns"])
        yield Finding(
            "unindexed_foreign_key",
            "warning" if key["rows"] >= LARGE_ROWS else "info",
            f"{key['table_name']}.{key['key_name']}",
            f"Each deletion in {key['target']} reads all of {key['table_name']}.",
            "Make an index that begins with the key's columns.",
            f"CREATE INDEX CONCURRENTLY ON public.{key['table_name']} ({columns});",
        )


def _sessions(measures: Measures) -> Iterator[Finding]:
    for session in measures.sessions:
        seconds = session["transaction_seconds"]
        if seconds is not None and seconds > LONG_SECONDS:
            yield _long_transaction(session)
    for statement in measures.statements:
        if statement["mean_ms"] > SLOW_MS and statement["calls"] > 1:
            yield Finding(
                "slow_statement",
                "warning",
                statement["role_name"],
                f"{statement['calls']} calls took {statement['mean_ms']:.0f} ms each: {statement['statement'][:200]}",
                "Look at its plan with EXPLAIN (ANALYZE, BUFFERS).",
            )
    for replica in measures.replicas:
        if replica["seconds"] is not None and replica["seconds"] > LAG_SECONDS:
            yield Finding(
                "replication_lag",
                "warning",
                replica["replica"],
                f"It is {replica['seconds']:.0f} s behind.",
                "See whether it has the capacity to write what the primary writes.",
            )


def _long_transaction(session: Mapping[str, Any]) -> Finding:
    if session["process"] is None:
        whose, sql = f"{session['role_name']}, prepared", f"ROLLBACK PREPARED {_quoted(session['prepared'])};"
    else:
        whose = f"{session['role_name']}, process {session['process']}"
        sql = f"SELECT pg_terminate_backend({session['process']});"
    return Finding(
        "long_transaction",
        "warning",
        f"{whose} {session['application']}".strip(),
        f"A transaction has been open for {session['transaction_seconds']:.0f} s ({session['state']}): "
        "vacuum waits for it, and so may whoever changes a table.",
        "Find out whose it is: a forgotten psql or a backup that runs. What nobody needs can be ended.",
        sql,
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _partitions(measures: Measures, now: datetime) -> Iterator[Finding]:
    for waiting in measures.default_rows:
        yield Finding(
            "default_partition",
            "info" if waiting["starts_at"] < now - timedelta(days=62) else "warning",
            f"{waiting['table_name']} {waiting['starts_at']:%Y-%m}",
            f"{waiting['rows']} rows are in the default partition: their month has none, or a legal hold keeps them.",
            "The retention job makes a partition for them and moves them, unless they are held. See docs/upkeep.md.",
        )
    for leaving in measures.retirements:
        if now - leaving["detached_at"] > STUCK:
            yield Finding(
                "retirement_stuck",
                "critical",
                leaving["partition_name"],
                f"It was detached on {leaving['detached_at']:%Y-%m-%d} and is {leaving['status']} still.",
                "See the log of enforce_retention: the archive's bucket is the usual cause. Nothing is lost.",
            )
