"""Deleting an end user's conversations, with all that hangs on them, and their vectors in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.chat.memory.forgetting import forget_conversation
from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.memory_removal import memory_namespaces
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts import end_user_queries as queries
from chatsphere.privacy.parts.holding import refuse_part_if_held
from chatsphere.privacy.parts.stores import Steps

STEP: Final = 100
"""Conversations deleted in one transaction."""

DELETE: Final = """
    DELETE FROM conversations WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s)
"""


@dataclass(frozen=True, slots=True)
class Conversations:
    """The `Place` of conversations. Of each that goes it is noted that its vectors are to go, for the other look that
    memory has of its own.
    """

    database: Database
    clock: Clock
    ids: Ids
    name: str = "conversations"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        with self.database.transaction(part.organization_id) as connection:
            row = connection.execute(queries.COUNT_CONVERSATIONS, part.values).fetchone()
        return int(row["rows"]) if row else 0

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        found = STEP
        while found == STEP:
            steps.go_on()
            with self.database.transaction(part.organization_id) as connection:
                refuse_part_if_held(connection, part)
                rows = connection.execute(queries.CONVERSATIONS, part.values | {"limit": STEP}).fetchall()
                for row in rows:
                    forget_conversation(connection, row["bot_id"], row["id"], self.ids.new(), self.clock.now())
                connection.execute(DELETE, {"conversations": [row["id"] for row in rows]})
            found = len(rows)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)


@dataclass(frozen=True, slots=True)
class MemoryVectors:
    """The `Place` of the vectors of an end user's messages, wherever memories are."""

    database: Database
    vectors: MessageVectors
    name: str = "memory_vectors"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`: by the conversations that are there."""
        with self.database.transaction(part.organization_id) as connection:
            rows = connection.execute(queries.CONVERSATIONS, part.values | {"limit": None}).fetchall()
        places = {bot_id: list(self._places(part.organization_id, bot_id)) for bot_id in {r["bot_id"] for r in rows}}
        return sum(self.vectors.count(place, row["id"]) for row in rows for place in places[row["bot_id"]])

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        for place in self._all_places(part):
            steps.go_on()
            self._delete(part, place)

    def left(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.left`. What is found is deleted: a store may show only now what was written before."""
        if part.until is not None and self._came_back(part):
            return 0
        return sum(self._delete(part, place) for place in self._all_places(part))

    def _came_back(self, part: Part) -> bool:
        """Return whether the end user has conversations that are newer than the erasure: their vectors stay, and those
        of the former ones have had the second look of memory's own.
        """
        newer = Part(part.kind, part.organization_id, part.bot_id, part.asked_at, end_user_id=part.end_user_id)
        with self.database.transaction(part.organization_id) as connection:
            return bool(connection.execute(queries.CONVERSATIONS, newer.values | {"limit": 1}).fetchone())

    def _delete(self, part: Part, place: Namespace) -> int:
        assert part.end_user_id is not None
        return self.vectors.delete_end_user(place, part.end_user_id)

    def _all_places(self, part: Part) -> Iterator[Namespace]:
        with self.database.transaction(part.organization_id) as connection:
            bots = [row["id"] for row in connection.execute(queries.BOTS, part.values)]
        for bot_id in bots:
            yield from self._places(part.organization_id, bot_id)

    def _places(self, organization_id: UUID, bot_id: UUID) -> list[Namespace]:
        with self.database.transaction(organization_id) as connection:
            return memory_namespaces(connection, organization_id, bot_id)
