"""Deleting one document: hidden in one statement, then removed everywhere, however often that has to be tried."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.knowledge.ingestion import deletion_queries as queries
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_removal import ObjectRemoval, covers
from chatsphere.knowledge.ingestion.receipts import (
    Deletion,
    Reason,
    claim_deletion,
    find_receipt,
    finish_deletion,
    note_found,
    note_removed,
    open_deletion,
)
from chatsphere.knowledge.ingestion.times import DELETE_LEASE, ERASE_AT_ONCE, ERASE_TIME
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from chatsphere.knowledge.ingestion.vector_removal import VectorRemoval
from chatsphere.knowledge.retrieval.lexical_index import unindex_some
from chatsphere.knowledge.web.keeping_out import keep_out
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore, ObjectVersion
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import VectorStore
from chatsphere.queue_batches import NotNowError, describe
from chatsphere.retention.holds import refuse_document_if_held

CHUNKS_STEP: Final = 2_000
"""Chunks deleted in one transaction: well under a second."""


def mark_deleted(
    connection: Connection,
    bot_id: UUID,
    document_id: UUID,
    now: datetime,
    *,
    reason: Reason = "api",
    with_object: bool = True,
    object_versions: Sequence[ObjectVersion] | None = None,
) -> Deletion | None:
    """Hide a document from list, get and search, and free its key; return its deletion, None if there is no document.

    `with_object` is False where its object is gone from the bucket. `object_versions` are what the key held before
    this transaction; they are left to the eraser to list where they are not given, or not up to date.
    """
    values = {"bot_id": bot_id, "document_id": document_id, "lease_expires_at": now + DELETE_LEASE, "now": now}
    held = connection.execute(queries.HOLD_TO_DELETE, values).fetchone()
    if held is None:
        return None
    connection.execute(queries.MARK_DELETED, values)
    keep_out(connection, document_id, now)
    key = held["s3_key"] if with_object else None
    known = object_versions if covers(object_versions, held["s3_version_id"], held["etag"]) else None
    deletion = open_deletion(
        connection, bot_id, document_id, now, reason=reason, object_key=key, object_versions=known if key else None
    )
    refresh_bot_status(connection, bot_id, now)
    return deletion


@dataclass(frozen=True, slots=True)
class Eraser:
    """Removes what is marked as deleted from every store."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    clock: Clock

    def delete(self, message: PurgeMessage, purge_queue: MessageQueue, *, actor_id: UUID | None = None) -> Deletion:
        """Delete a document: from now on nobody sees it. What cannot be removed at once is removed in the background.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such document.
            LegalHoldError: the bot is held.
        """
        deletion = self._mark(message, actor_id)
        try:
            return self.erase(message, within=ERASE_AT_ONCE) or deletion
        except Exception as error:
            logger.warning(
                "deletion goes on in the background", document_id=str(message.document_id), **describe(error)
            )
            # Were this message lost as well, the deletion's own time would have the reaper send another.
            with suppress(UnavailableError):
                purge_queue.send([message.to_json()], group=message.group)
        with self.database.transaction(message.organization_id) as connection:
            return find_receipt(connection, deletion.id)

    def erase(self, message: PurgeMessage, *, within: timedelta = ERASE_TIME) -> Deletion | None:
        """Remove a marked document; None where there is none. Doing it again, or at the same time, does no harm.

        Raises:
            UnavailableError: a store does not answer, or a second look found something; the document stays marked.
            NotNowError: `within` has passed; what is done is kept, and the rest is for the next time.
        """
        ends = self.clock.now() + within
        deletion = self._claim(message)
        if deletion is None:
            return None
        deletion = ObjectRemoval(self.database, self.objects).run(message.organization_id, deletion)
        self._remove_vectors(message, deletion)
        while self._remove_rows(message, deletion):
            if self.clock.now() >= ends:
                raise NotNowError("the deletion takes longer")
        return self._finish(message, deletion)

    def _mark(self, message: PurgeMessage, actor_id: UUID | None) -> Deletion:
        if message.document_id is None:
            raise NotFoundError("There is no such document.")
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(queries.KEY_OF_DOCUMENT, self._values(message)).fetchone()
        versions = None
        if row and row["s3_key"]:
            # While the bucket does not answer, nothing can be stored: listing it later does as well.
            with suppress(UnavailableError):
                versions = self.objects.versions(row["s3_key"])
        with self.database.transaction(message.organization_id, actor_id) as connection:
            refuse_document_if_held(connection, message.bot_id)
            deletion = mark_deleted(
                connection, message.bot_id, message.document_id, self.clock.now(), object_versions=versions
            )
        if deletion is None:
            raise NotFoundError("There is no such document.")
        return deletion

    def _claim(self, message: PurgeMessage) -> Deletion | None:
        if message.document_id is None:
            return None
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            deleting = connection.execute(queries.EXTEND_DELETING, values).fetchone()
            deletion = claim_deletion(connection, message.bot_id, message.document_id, values["now"])
            if deletion is None and deleting is not None and not deleting["goes_with_bot"]:
                # Marked by the release before, which kept the key in the document and made no receipt.
                deletion = open_deletion(
                    connection, message.bot_id, message.document_id, values["now"], object_key=deleting["s3_key"]
                )
        return deletion

    def _remove_vectors(self, message: PurgeMessage, deletion: Deletion) -> None:
        removal = VectorRemoval(self.database, self.vectors)
        found = removal.count(message.namespace, message.document_id)
        with self.database.transaction(message.organization_id) as connection:
            note_found(connection, deletion, {"vectors": found})
        removed = removal.run(message.namespace, message.document_id)
        if removed > found:
            with self.database.transaction(message.organization_id) as connection:
                note_found(connection, deletion, {"vectors": removed})

    def _remove_rows(self, message: PurgeMessage, deletion: Deletion) -> bool:
        """Remove some of a document's rows, and count them; return whether there were any."""
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.EXTEND_DELETING, values)
            claim_deletion(connection, message.bot_id, deletion.document_id, values["now"])
            entries = unindex_some(connection, message.bot_id, values["document_id"])
            chunks = 0 if entries else connection.execute(queries.DELETE_SOME_CHUNKS, values).rowcount
            note_removed(connection, deletion, {"lexical_entries": entries, "chunks": chunks})
        return bool(entries or chunks)

    def _finish(self, message: PurgeMessage, deletion: Deletion) -> Deletion:
        """Look a second time, at every store, and remove the document's row with the receipt."""
        removal = VectorRemoval(self.database, self.vectors)
        places = removal.places(message.namespace)
        stores = {
            "vectors": removal.count(message.namespace, message.document_id),
            "object_versions": ObjectRemoval(self.database, self.objects).count_left(deletion),
        }
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            documents = connection.execute(queries.DELETE_DOCUMENT_ROW, values).rowcount
            left: dict[str, Any] = stores | dict(
                connection.execute(queries.COUNT_DOCUMENT_LEFT, values).fetchone() or {}
            )
            if any(left.values()):
                logger.warning("document not gone yet", document_id=str(message.document_id), **left)
                raise UnavailableError("Something of the document is left.")
            note_removed(connection, deletion, {"documents": documents})
            done = finish_deletion(connection, deletion, left, values["now"], places)
            refresh_bot_status(connection, message.bot_id, values["now"])
        counts: dict[str, Any] = dict(done.removed)
        logger.info("document deleted", document_id=str(message.document_id), **counts)
        return done

    def _values(self, message: PurgeMessage) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "bot_id": message.bot_id,
            "document_id": message.document_id,
            "now": now,
            "lease_expires_at": now + DELETE_LEASE,
            "limit": CHUNKS_STEP,
        }
