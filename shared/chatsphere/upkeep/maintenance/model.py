"""A report on the database: what was measured, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

Severity = Literal["critical", "warning", "info"]

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""The worst first."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. `code` is stable; `about` names the table, index or role; `sql` is what can be run as the
    tables' owner, where something can.
    """

    code: str
    severity: Severity
    about: str
    meaning: str
    advice: str
    sql: str | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What PostgreSQL says of itself, by kind; see `queries` and `overdue_queries` beside this for the columns."""

    server: Mapping[str, Any]
    tables: Rows = ()
    unused_indexes: Rows = ()
    duplicate_indexes: Rows = ()
    unindexed_keys: Rows = ()
    sessions: Rows = ()
    statements: Rows = ()
    replicas: Rows = ()
    default_rows: Rows = ()
    retirements: Rows = ()
    overdue: Rows = ()
    unguarded: Rows = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report of one run. `analyzed`: tables whose statistics were counted anew by it."""

    made_at: datetime
    measures: Measures
    findings: Sequence[Finding]
    analyzed: Sequence[str] = field(default=())

    def counts(self) -> dict[str, int]:
        """Return how many findings of each severity there are."""
        return {severity: sum(finding.severity == severity for finding in self.findings) for severity in SEVERITIES}

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON's own types."""
        return {
            "made_at": self.made_at.isoformat(),
            "counts": self.counts(),
            "findings": [asdict(finding) for finding in self.findings],
            "analyzed": list(self.analyzed),
            "measures": asdict(self.measures),
        }
