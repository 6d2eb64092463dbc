"""How often answers were found in the cache, and what that saved."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.draft import CacheUse
from chatsphere.db.database import Connection

# In the transaction that keeps the turn, wherever the entries are.
COUNT: Final = """
    INSERT INTO cache_days (organization_id, bot_id, day, hits, misses, saved_microdollars)
    VALUES (%(organization_id)s, %(bot_id)s, %(day)s, %(hits)s, 1 - %(hits)s, %(saved)s)
    ON CONFLICT (organization_id, bot_id, day) DO UPDATE
    SET hits = cache_days.hits + excluded.hits, misses = cache_days.misses + excluded.misses,
        saved_microdollars = cache_days.saved_microdollars + excluded.saved_microdollars
"""

REPORT: Final = """
    SELECT COALESCE(sum(hits), 0)::bigint AS hits, COALESCE(sum(misses), 0)::bigint AS misses,
        COALESCE(sum(saved_microdollars), 0)::bigint AS saved_microdollars, min(day) AS since,
        (SELECT count(*) FROM cache_entries e
         WHERE e.organization_id = app.current_organization() AND e.bot_id = %(bot_id)s AND e.kind = 'answer'
           AND e.expires_at > %(now)s) AS entries
    FROM cache_days
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What the cache did since a day (UTC), None: it was never asked. `entries`: answers that PostgreSQL holds."""

    hits: int
    misses: int
    saved_microdollars: int
    since: date | None
    entries: int


def count_row(organization_id: UUID, bot_id: UUID, use: CacheUse, now: datetime) -> dict[str, Any]:
    """Return what `COUNT` takes."""
    saved = use.saved.cost_microdollars if use.saved else 0
    return {
        "organization_id": organization_id,
        "bot_id": bot_id,
        "day": now.date(),
        "hits": 1 if use.saved else 0,
        "saved": saved,
    }


def cache_report(connection: Connection, bot_id: UUID, now: datetime) -> CacheReport:
    """Return what the cache did for a bot."""
    row = connection.execute(REPORT, {"bot_id": bot_id, "now": now}).fetchone()
    assert row is not None
    return CacheReport(**row)
