"""The audit log as JSON lines, in parts that an answer of a function can hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.audit.reading import AuditFilter, entries
from chatsphere.audit.recording import note
from chatsphere.db.database import Connection

MAX_BYTES: Final = 4_000_000
"""Of one part: a Lambda function may answer 6 MB, and JSON within JSON grows."""


@dataclass(frozen=True, slots=True)
class ExportPart:
    """Lines, each with its newline; `last` is the id after which the next part begins, None at the end."""

    text: str
    last: UUID | None


def export_part(
    connection: Connection,
    wanted: AuditFilter,
    to_line: Callable[[dict[str, Any]], str],
    *,
    after: UUID | None,
    limit: int,
) -> ExportPart:
    """Return up to `limit` entries as lines, fewer where they would be too long together, and note the export."""
    rows = entries(connection, wanted, after=after, limit=limit)
    lines = _fitting([to_line(row) for row in rows[:limit]])
    note(connection, "audit_log.exported", "audit_log", None, after=wanted.chosen() | {"entries": len(lines)})
    more = len(lines) < len(rows)
    return ExportPart("".join(f"{line}\n" for line in lines), rows[len(lines) - 1]["id"] if more else None)


def _fitting(lines: Sequence[str]) -> Sequence[str]:
    """Return the first lines that fit into a part; the first one always does."""
    size = 0
    for number, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > MAX_BYTES and number > 0:
            return lines[:number]
    return lines
