"""`Cache` in PostgreSQL itself, for deployments without a server of its own for it."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.ports.cache import CacheSpace
from chatsphere.ports.system import Clock

MAX_ENTRIES: Final = 2_000
"""Of one space; beyond that the oldest go."""

SWEPT: Final = 100
"""Entries that one `put` takes away at most."""

GET: Final = """
    SELECT value FROM cache_entries
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = %(kind)s AND key = %(key)s
      AND expires_at > %(now)s
"""

# Nothing is kept for a bot that has gone meanwhile.
PUT: Final = """
    INSERT INTO cache_entries (organization_id, bot_id, kind, key, value, expires_at)
    SELECT organization_id, id, %(kind)s, %(key)s, %(value)s, %(expires_at)s FROM bots
    WHERE organization_id = app.current_organization() AND id = %(bot_id)s
    FOR KEY SHARE
    ON CONFLICT (organization_id, bot_id, kind, key) DO UPDATE
    SET value = excluded.value, expires_at = excluded.expires_at
"""

DELETE_EXPIRED: Final = """
    DELETE FROM cache_entries
    WHERE organization_id = app.current_organization() AND (bot_id, kind, key) IN (
        SELECT bot_id, kind, key FROM cache_entries
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = %(kind)s
          AND expires_at <= %(now)s
        LIMIT %(swept)s FOR UPDATE SKIP LOCKED)
"""

DELETE_OLDEST: Final = """
    DELETE FROM cache_entries
    WHERE organization_id = app.current_organization() AND (bot_id, kind, key) IN (
        SELECT bot_id, kind, key FROM cache_entries
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND kind = %(kind)s
        ORDER BY expires_at DESC
        OFFSET %(kept)s LIMIT %(swept)s FOR UPDATE SKIP LOCKED)
"""

COUNT: Final = """
    SELECT count(*) AS entries FROM cache_entries
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""

CLEAR: Final = """
    DELETE FROM cache_entries WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""


class PostgresCache:
    """The `Cache` port on the table `cache_entries`. A space holds `max_entries`."""

    def __init__(self, database: Database, clock: Clock, *, max_entries: int = MAX_ENTRIES) -> None:
        self._database = database
        self._clock = clock
        self._max_entries = max_entries

    def get(self, space: CacheSpace, key: bytes) -> bytes | None:
        """See `Cache.get`."""
        values = _place(space) | {"key": key, "now": self._clock.now()}
        with self._database.transaction(space.organization_id, pipelined=True) as connection:
            read = connection.execute(GET, values)
        row = read.fetchone()
        return bytes(row["value"]) if row else None

    def put(self, space: CacheSpace, key: bytes, value: bytes, *, seconds: int) -> None:
        """See `Cache.put`."""
        now = self._clock.now()
        values = _place(space) | {
            "key": key,
            "value": value,
            "now": now,
            "expires_at": now + timedelta(seconds=seconds),
            "kept": self._max_entries,
            "swept": SWEPT,
        }
        with self._database.transaction(space.organization_id, pipelined=True) as connection:
            connection.execute(PUT, values)
            connection.execute(DELETE_EXPIRED, values)
            connection.execute(DELETE_OLDEST, values)

    def count(self, organization_id: UUID, bot_id: UUID) -> int:
        """See `Cache.count`."""
        with self._database.transaction(organization_id) as connection:
            row = connection.execute(COUNT, {"bot_id": bot_id}).fetchone()
        return int(row["entries"]) if row else 0

    def clear(self, organization_id: UUID, bot_id: UUID) -> int:
        """See `Cache.clear`."""
        with self._database.transaction(organization_id) as connection:
            return connection.execute(CLEAR, {"bot_id": bot_id}).rowcount


def _place(space: CacheSpace) -> dict[str, Any]:
    return {"bot_id": space.bot_id, "kind": space.kind}
