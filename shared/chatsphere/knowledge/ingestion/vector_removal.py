"""Removing the vectors of a document or a bot, in every revision of the bot's embedding."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.embedding import bot_namespaces
from chatsphere.ports.vectors import Namespace, VectorStore

Place = tuple[int, int | None]
"""A revision, and the length of its vectors."""


@dataclass(frozen=True, slots=True)
class VectorRemoval:
    """Knows where a bot's vectors may be. Without a `document_id` all of the bot's are meant.

    `former` are places that are known from before: with a bot go its revisions.
    """

    database: Database
    vectors: VectorStore

    def run(self, namespace: Namespace, document_id: UUID | None, former: Sequence[Place] = ()) -> int:
        """Remove them; return how many there were.

        Raises:
            UnavailableError: the store does not answer, or does not show yet that they are gone.
        """
        found = self._namespaces(namespace, former)
        if document_id is None:
            return sum(self.vectors.delete_namespace(each) for each in found)
        return sum(self.vectors.delete_document(each, document_id) for each in found)

    def count(self, namespace: Namespace, document_id: UUID | None) -> int:
        """Return how many there are."""
        return sum(self.vectors.count(each, document_id) for each in self._namespaces(namespace))

    def places(self, namespace: Namespace) -> list[Place]:
        """Return where they may be, to be kept for a later removal."""
        return [(each.revision, each.dimensions) for each in self._namespaces(namespace)]

    def _namespaces(self, namespace: Namespace, former: Sequence[Place] = ()) -> list[Namespace]:
        organization_id, bot_id = namespace.organization_id, namespace.bot_id
        with self.database.transaction(organization_id) as connection:
            found = bot_namespaces(connection, organization_id, bot_id)
        known = {each.revision for each in found}
        return found + [Namespace(organization_id, bot_id, *place) for place in former if place[0] not in known]
