"""Removing all that a bot's memory holds: the vectors of its messages, in every revision that there may be of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.vector_removal import Place
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.vectors import Namespace

PLACES: Final = """
    SELECT revision, dimensions FROM bot_memories
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
    UNION
    SELECT revision, dimensions FROM memory_deletions
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND revision IS NOT NULL
"""
"""The revisions of a bot's memory: the present one, and those that are yet to be deleted."""


def memory_namespaces(connection: Connection, organization_id: UUID, bot_id: UUID) -> list[Namespace]:
    """Return every namespace in which the bot's messages may have vectors; also of a bot that is gone, the first."""
    found: dict[int, int | None] = {}
    for row in connection.execute(PLACES, {"bot_id": bot_id}):
        found[row["revision"]] = row["dimensions"] or found.get(row["revision"])
    found = found or {1: None}
    return [Namespace(organization_id, bot_id, revision, dimensions) for revision, dimensions in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class MemoryRemoval:
    """As `VectorRemoval`, of a whole bot's messages. `former` are places that are known from before."""

    database: Database
    vectors: MessageVectors

    def run(self, namespace: Namespace, former: Sequence[Place] = ()) -> int:
        """Remove them; return how many there were.

        Raises:
            UnavailableError: the store does not answer, or does not show yet that they are gone.
        """
        return sum(self.vectors.delete_namespace(each) for each in self._namespaces(namespace, former))

    def count(self, namespace: Namespace) -> int:
        """Return how many there are."""
        return sum(self.vectors.count(each) for each in self._namespaces(namespace))

    def places(self, namespace: Namespace) -> list[Place]:
        """Return where they may be, to be kept for a later removal."""
        return [(each.revision, each.dimensions) for each in self._namespaces(namespace)]

    def _namespaces(self, namespace: Namespace, former: Sequence[Place] = ()) -> list[Namespace]:
        organization_id, bot_id = namespace.organization_id, namespace.bot_id
        with self.database.transaction(organization_id) as connection:
            found = memory_namespaces(connection, organization_id, bot_id)
        known = {each.revision for each in found}
        return found + [Namespace(organization_id, bot_id, *place) for place in former if place[0] not in known]
