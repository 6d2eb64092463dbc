"""Deleting the vectors of generations that readers do not see. Why so carefully: decision 0030."""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.embedding import bot_namespaces
from chatsphere.knowledge.ingestion import deletion_queries as queries
from chatsphere.knowledge.ingestion.times import CLEANUP_LEASE
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import Namespace, VectorStore


@dataclass(frozen=True, slots=True)
class VectorCleanup:
    """Deletes former vectors. Until that is noted in the document's row, the reaper has it tried again."""

    database: Database
    vectors: VectorStore
    clock: Clock

    def run(self, namespace: Namespace, document_id: UUID) -> None:
        """Delete the vectors of a document's generations that have ended, but the live one's, if nobody is at it.

        However late a deletion comes, it reaches no generation that began after it was claimed.

        Raises:
            UnavailableError: the vector store does not answer.
        """
        now = self.clock.now()
        until = now + CLEANUP_LEASE
        values = {"bot_id": namespace.bot_id, "document_id": document_id, "now": now, "until": until}
        with self.database.transaction(namespace.organization_id) as connection:
            row = connection.execute(queries.CLAIM_CLEANUP, values).fetchone()
            places = bot_namespaces(connection, namespace.organization_id, namespace.bot_id) if row else []
        if row is None:
            return
        for place in places:
            self.vectors.delete_document(
                place,
                document_id,
                except_generation=row["live_generation"],
                through_generation=row["generation"],
            )
        with self.database.transaction(namespace.organization_id) as connection:
            connection.execute(queries.FINISH_CLEANUP, {"document_id": document_id, "until": until})
