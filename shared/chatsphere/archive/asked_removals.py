"""Taking conversations that somebody deleted out of the files that were written before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.archive import expiring_queries as queries
from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.db.database import Database
from chatsphere.observability import log_failure
from chatsphere.ports.system import Clock

PAGE: Final = 100

SETTLED: Final = timedelta(hours=6)
"""After a conversation's deletion: by then what was being archived of it counts."""


@dataclass(frozen=True, slots=True)
class AskedRemovals:
    """Works off what was noted of deleted conversations. `database` is the tenants'."""

    database: Database
    eraser: ArchiveEraser
    clock: Clock

    def run(self, organization_id: UUID) -> None:
        """Do it for one tenant. What is in a damaged file stays noted, and keeps nothing else from being done.

        Raises:
            UnavailableError: a store does not answer, or still shows what was deleted.
        """
        after = None
        while True:
            values = {"asked_before": self.clock.now() - SETTLED, "after": after, "limit": PAGE}
            with self.database.transaction(organization_id) as connection:
                rows = connection.execute(queries.ASKED, values).fetchall()
            if not rows:
                return
            try:
                self._remove(organization_id, rows)
            except ArchiveDamagedError:
                self._remove_each(organization_id, rows)
            after = rows[-1]["id"]

    def _remove(self, organization_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
        self.eraser.erase(organization_id, conversation_ids=[row["conversation_id"] for row in rows])
        with self.database.transaction(organization_id) as connection:
            connection.execute(queries.REMOVED, {"ids": [row["id"] for row in rows]})

    def _remove_each(self, organization_id: UUID, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            try:
                self._remove(organization_id, [row])
            except ArchiveDamagedError as error:
                log_failure(error)
