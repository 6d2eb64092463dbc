"""A part's erasure is a list of places; each can be looked at, and emptied of what is the part's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chatsphere.db.database import Connection, Database
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.holding import refuse_part_if_held

STEP: Final = 500
"""Rows changed in one transaction."""


class Steps(Protocol):
    """What an erasure does between two of its steps, and what it remembers from one try to the next."""

    def go_on(self) -> None:
        """Show a sign of life, while no transaction is open.

        Raises:
            LegalHoldError: something of the part is not to be deleted for now.
            NotNowError: the time is up; what is done is kept, and the rest is for the next time.
        """
        ...

    def bookmark(self, name: str) -> Mapping[str, Any]:
        """Return what was kept under this name; empty where nothing was."""
        ...

    def keep(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep it until there is a receipt. It holds no text of anybody's."""
        ...


class Place(Protocol):
    """Somewhere that something of a part may be."""

    @property
    def name(self) -> str:
        """How the receipt calls what is there."""
        ...

    @property
    def is_kept(self) -> bool:
        """Whether rows stay, without what was the part's."""
        ...

    def count(self, part: Part, steps: Steps) -> int:
        """Return how much of the part is there.

        Raises:
            UnavailableError: the store does not answer; so do the others.
        """
        ...

    def erase(self, part: Part, steps: Steps) -> None:
        """Leave nothing of it. Doing it again, or at the same time, does no harm."""
        ...

    def left(self, part: Part, steps: Steps) -> int:
        """Return how much of it a later look still finds."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the tenant's database. `count_sql` returns `rows`; `step_sql` deletes or changes up to `%(limit)s`.
    Without it the rows go with others that a later place deletes, and are counted only.

    `as_eraser`: of tables that the application may only add to; there the tenant is `%(organization_id)s`.
    """

    name: str
    database: Database
    count_sql: str
    step_sql: str = ""
    is_kept: bool = False
    as_eraser: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        with self.database.transaction(None if self.as_eraser else part.organization_id) as connection:
            row = connection.execute(self.count_sql, part.values).fetchone()
        return int(row["rows"]) if row else 0

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        changed = STEP
        while self.step_sql and changed >= STEP:
            steps.go_on()
            with self.database.transaction(None if self.as_eraser else part.organization_id) as connection:
                changed = self._step(connection, part)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)

    def _step(self, connection: Connection, part: Part) -> int:
        if not self.as_eraser:
            refuse_part_if_held(connection, part)
        return connection.execute(self.step_sql, part.values | {"limit": STEP}).rowcount
