"""The report of a run, and its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection
from chatsphere.retention import run_queries as queries
from chatsphere.retention.costs import cost_of
from chatsphere.retention.runs import Row

RUNS_WITH_ITEMS: Final = 14
"""Of so many runs of a tenant, whether dry or not, the items are kept."""

RUNS: Final = 400
"""So many runs of a tenant are kept: more than a year of daily ones."""

ITEMS_STEP: Final = 10_000


def finish_run(connection: Connection, row: Row, now: datetime, *, error_code: str | None = None) -> Row:
    """End a run with its report, and note it in the audit log."""
    totals = connection.execute(queries.TOTALS, {"id": row["id"]}).fetchall()
    report = _report(row, totals, now)
    status = "done" if error_code is None else "failed"
    values = {"id": row["id"], "status": status, "report": Jsonb(report), "error_code": error_code, "now": now}
    ended = connection.execute(queries.FINISH, values).fetchone()
    assert ended is not None
    if not row["dry_run"] and (report["removed"] or error_code is not None):
        about = {"status": status, "removed": report["removed"], "files": report["archived_files"]}
        note(connection, "retention_run.finished", "retention_run", row["id"], after=about)
    connection.execute(queries.FORGET_RUNS, {"kept": RUNS})
    return ended


def forget_items(connection: Connection) -> int:
    """Forget some items of the tenant's older runs; return how many."""
    return connection.execute(queries.FORGET_ITEMS, {"kept": RUNS_WITH_ITEMS, "limit": ITEMS_STEP}).rowcount


def _report(row: Row, totals: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Any]:
    names = ("kind", "reason", "action", "status", "items", "rows", "messages", "bytes")
    kept = [each for each in totals if each["action"] == "keep"]
    return {
        "items": [{name: each[name] for name in names} for each in totals],
        "removed": dict(row["removed"]),
        "kept_by_holds": {name: sum(each[name] for each in kept) for name in ("rows", "messages", "bytes")},
        "estimate": cost_of(totals).to_json(),
        "archived_files": row["files"],
        "archived_bytes": row["file_bytes"],
        "seconds": round((now - row["started_at"]).total_seconds(), 3),
    }


def stored_run(connection: Connection, run_id: UUID) -> Row:
    """Return the row of a run that is there."""
    row = connection.execute(queries.GET, {"id": run_id}).fetchone()
    assert row is not None
    return row
