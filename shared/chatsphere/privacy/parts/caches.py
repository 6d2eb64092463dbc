"""Forgetting what is cached for a bot, in PostgreSQL or at a server of its own.

A cached answer is the id of a message, and a cached question the vector of its text: nothing in either tells whose it
was. All that a bot has is dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.ports.cache import Cache
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.end_user_queries import BOTS
from chatsphere.privacy.parts.stores import Steps


@dataclass(frozen=True, slots=True)
class CachedEntries:
    """The `Place` of cached entries; `cache` is None where there is none."""

    database: Database
    cache: Cache | None
    name: str = "cached_entries"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        return self._of_all(part, lambda cache, bot_id: cache.count(part.organization_id, bot_id))

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        steps.go_on()
        self._of_all(part, lambda cache, bot_id: cache.clear(part.organization_id, bot_id))

    def left(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.left`: others go on asking, so that there may be entries again. What was on its way goes, too."""
        self._of_all(part, lambda cache, bot_id: cache.clear(part.organization_id, bot_id))
        return 0

    def _of_all(self, part: Part, ask: Callable[[Cache, UUID], int]) -> int:
        if self.cache is None:
            return 0
        return sum(ask(self.cache, bot_id) for bot_id in self._bots(part))

    def _bots(self, part: Part) -> Sequence[UUID]:
        if part.bot_id is not None:
            # Also where its row is gone.
            return [part.bot_id]
        with self.database.transaction(part.organization_id) as connection:
            return [row["id"] for row in connection.execute(BOTS, part.values)]
