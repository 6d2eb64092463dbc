"""An erasure's own row: what it found, how far it is, its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.ports.system import Clock
from chatsphere.privacy import erasing_queries as queries
from chatsphere.privacy.model import ERASURE_LEASE, ErasureWork


@dataclass(frozen=True, slots=True)
class Found:
    """What an erasure remembers from one try to the next, until there is a receipt: `counts` by scope and store."""

    content: dict[str, Any]

    @classmethod
    def of(cls, work: ErasureWork) -> "Found":
        """Return what former tries found."""
        return cls(work.found or {"bots": {}, "removed": {}})

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """What was there before it was deleted, by scope."""
        counted: dict[str, dict[str, int]] = self.content.setdefault("removed", {})
        return counted

    def merge(self, scope: str, counts: Mapping[str, int]) -> None:
        """Add what a look found; a second try finds less than there was."""
        former = self.counts.get(scope, {})
        self.counts[scope] = {key: max(former.get(key, 0), counts.get(key, 0)) for key in {*former, *counts}}


@dataclass(frozen=True, slots=True)
class ErasureNotes:
    """Writes to the erasure's row, as the eraser."""

    database: Database
    clock: Clock
    erasure_id: UUID

    def keep(self, found: Found) -> None:
        """Remember what there was, before it is deleted, and how far the erasure is."""
        self._execute(queries.KEEP_FOUND, found=Jsonb(found.content))

    def keep_lease(self) -> None:
        """Show a sign of life."""
        self.hold_until(self.clock.now() + ERASURE_LEASE)

    def hold_until(self, moment: datetime) -> None:
        """Keep others away until then, or give the erasure back."""
        self._execute(queries.HOLD_UNTIL, lease_expires_at=moment)

    def pause(self, until: datetime, *, is_done: bool) -> None:
        """Say that a legal hold stands against it, and have it tried again then."""
        self._execute(queries.PAUSE_RECHECK if is_done else queries.PAUSE, until=until)

    def finish(self, receipt: Mapping[str, Any], *, recheck_at: datetime | None) -> None:
        """Write the receipt, or add to it; `recheck_at` None: for good."""
        self._execute(queries.FINISH, now=self.clock.now(), receipt=Jsonb(dict(receipt)), recheck_at=recheck_at)

    def _execute(self, statement: str, **values: Any) -> None:
        with self.database.transaction(None) as connection:
            connection.execute(statement, {"id": self.erasure_id, **values})
