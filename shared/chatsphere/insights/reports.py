"""Reports of usage, cost, quality and latency. Every function runs in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatsphere.db.database import Connection
from chatsphere.insights import report_queries as queries
from chatsphere.insights.asking import Group, Narrowed, Period, check_split
from chatsphere.insights.histograms import percentile

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Numbers of all groups (`total`), and of a page of groups: `key` says which, `name` what it is called.

    A group has one row of measures, or one of each stage of latency.
    """

    total: Sequence[Row]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which days and events, split by what, and which page of the groups: `limit` and one more, after `after`."""

    period: Period
    group: Group
    narrowed: Narrowed
    after: str | None = None
    limit: int = 100

    def values(self) -> Row:
        """Return them as parameters of SQL."""
        page = {"after": self.after, "limit": self.limit + 1}
        return self.narrowed.values() | {"first": self.period.first, "last": self.period.last} | page


def measured(connection: Connection, wanted: Wanted) -> Report:
    """Return the measures by group.

    Raises:
        InvalidRequestError: end users are combined with what there are no numbers by.
    """
    of_end_users = check_split(wanted.group, wanted.narrowed)
    rows = connection.execute(queries.measured(wanted.group, of_end_users=of_end_users), wanted.values()).fetchall()
    return _report(rows)


def timed(connection: Connection, wanted: Wanted) -> Report:
    """Return by group and stage how many answers there were, their mean time and percentiles, in milliseconds."""
    rows = connection.execute(queries.timed(wanted.group), wanted.values()).fetchall()
    return _report([_latency(row) for row in rows])


def _report(rows: Sequence[Row]) -> Report:
    return Report([row for row in rows if row["is_total"]], [row for row in rows if not row["is_total"]])


def _latency(row: Row) -> Row:
    counts = dict(zip(row["buckets"], row["counts"], strict=True))
    answers = sum(counts.values())
    shares = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99}
    percentiles = {name: percentile(counts, share) for name, share in shares.items()}
    return row | percentiles | {"answers": answers, "mean_ms": row["milliseconds"] / answers}
