"""What is listed: sources, questions without an answer, groups of errors. Every function runs in the caller's
transaction, and returns `limit` rows and one more where there are more.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.insights import listing_queries as queries
from chatsphere.insights.asking import Narrowed, Period

Row = dict[str, Any]


def sources(
    connection: Connection,
    narrowed: Narrowed,
    *,
    found: bool | None,
    period: Period | None,
    after: tuple[int, UUID] | None,
    limit: int,
) -> list[Row]:
    """Return documents, those first that were found most often.

    `found`: only those that were, or never were. `period`: only those that were found last in it. `after`: `retrieved`
    and id of the last row of the page before.
    """
    bounds = _bounds(period) if period else {"since": None, "until": None}
    values = narrowed.values() | bounds | _after(after) | {"found": found, "limit": limit + 1}
    return connection.execute(queries.SOURCES, values).fetchall()


def unanswered(
    connection: Connection,
    narrowed: Narrowed,
    period: Period,
    *,
    status: str | None,
    after: tuple[int, UUID] | None,
    limit: int,
) -> list[Row]:
    """Return questions without an answer, those first that were asked most often in the period.

    `after`: `asked_count` and id of the last row of the page before.
    """
    values = narrowed.values() | _bounds(period) | _after(after) | {"status": status, "limit": limit + 1}
    return connection.execute(queries.UNANSWERED, values).fetchall()


def errors(
    connection: Connection, narrowed: Narrowed, period: Period, *, after: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """Return groups of errors, the last seen first: of one service and type, with messages of one pattern.

    `after`: `last_seen_at` and fingerprint of the last row of the page before.
    """
    after_time, after_key = after or (None, None)
    place = {"after_time": after_time, "after_key": after_key, "limit": limit + 1}
    return connection.execute(queries.ERRORS, narrowed.values() | _bounds(period) | place).fetchall()


def _bounds(period: Period) -> Row:
    return {
        "since": datetime.combine(period.first, time(), UTC),
        "until": datetime.combine(period.last + timedelta(days=1), time(), UTC),
    }


def _after(place: tuple[int, UUID] | None) -> Row:
    count, key = place or (None, None)
    return {"after_count": count, "after_id": key}
