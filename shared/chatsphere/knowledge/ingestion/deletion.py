"""Deleting one document: hidden in one statement, then removed everywhere, however often that has to be tried."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.knowledge.ingestion import deletion_queries as queries
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.times import DELETE_LEASE
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from chatsphere.knowledge.retrieval.lexical_index import unindex_document
from chatsphere.observability import logger
from chatsphere.ports import Clock, MessageQueue, ObjectStore, VectorStore
from chatsphere.queue_batches import describe


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a document's deletion removed."""

    chunks: int
    vectors: int
    objects: int


def mark_deleted(
    connection: Connection, bot_id: UUID, document_id: UUID, now: datetime, *, with_object: bool = True
) -> bool:
    """Hide a document from list, get and search; return whether there was one to hide.

    `with_object` is False where its object is gone from the bucket: a new one under the key is then another's.
    """
    values = {
        "bot_id": bot_id,
        "document_id": document_id,
        "with_object": with_object,
        "lease_expires_at": now + DELETE_LEASE,
        "now": now,
    }
    marked = connection.execute(queries.MARK_DELETED, values).fetchone() is not None
    if marked:
        refresh_bot_status(connection, bot_id, now)
    return marked


@dataclass(frozen=True, slots=True)
class Eraser:
    """Removes what is marked as deleted from every store."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    clock: Clock

    def erase(self, message: PurgeMessage) -> Receipt | None:
        """Remove a marked document; None where there is none. Doing it again, or at the same time, does no harm.

        Raises:
            UnavailableError: a store does not answer, or vectors are left; the document stays marked.
        """
        values = {"bot_id": message.bot_id, "document_id": message.document_id}
        lease = {"lease_expires_at": self.clock.now() + DELETE_LEASE}
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(queries.DELETING_DOCUMENT, values | lease).fetchone()
        if row is None or message.document_id is None:
            return None
        vectors = self.vectors.delete_document(message.namespace, message.document_id)
        objects = self.objects.delete(row["s3_key"]) if row["s3_key"] else 0
        if self.vectors.count(message.namespace, message.document_id):
            raise UnavailableError("The vector store still shows vectors that were deleted.")
        receipt = Receipt(self._delete_rows(message.organization_id, values), vectors, objects)
        logger.info(
            "document deleted",
            document_id=str(message.document_id),
            chunks=receipt.chunks,
            vectors=receipt.vectors,
            objects=receipt.objects,
        )
        return receipt

    def delete(self, message: PurgeMessage, purge_queue: MessageQueue) -> None:
        """Delete a document: from now on nobody sees it. What cannot be removed at once is removed in the background.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such document.
        """
        with self.database.transaction(message.organization_id) as connection:
            if message.document_id is None or not mark_deleted(
                connection, message.bot_id, message.document_id, self.clock.now()
            ):
                raise NotFoundError("There is no such document.")
        try:
            self.erase(message)
        except Exception as error:
            logger.warning(
                "deletion goes on in the background", document_id=str(message.document_id), **describe(error)
            )
            # Were this message lost as well, the row's lease would have the reaper send another.
            with suppress(UnavailableError):
                purge_queue.send([message.to_json()], group=message.group)

    def _delete_rows(self, organization_id: UUID, values: dict[str, Any]) -> int:
        with self.database.transaction(organization_id) as connection:
            unindex_document(connection, values["bot_id"], values["document_id"], except_generation=None)
            row = connection.execute(queries.DELETE_CHUNKS, values).fetchone()
            connection.execute(queries.DELETE_DOCUMENT_ROW, values)
            refresh_bot_status(connection, values["bot_id"], self.clock.now())
        return int(row["chunks"]) if row else 0
