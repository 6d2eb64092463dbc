"""Finishing deletions: a document's, a document's former vectors', a whole bot's."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion import deletion_queries as queries
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import prefix
from chatsphere.knowledge.ingestion.times import DELETE_LEASE
from chatsphere.knowledge.ingestion.vector_cleanup import VectorCleanup
from chatsphere.knowledge.retrieval.lexical_index import unindex_bot, unindex_document
from chatsphere.observability import logger
from chatsphere.ports import Clock, ObjectStore, VectorStore

Result = TypeVar("Result")

STEP: Final = 100
"""Documents or conversations deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class Purger:
    """Works off the purge queue."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    eraser: Eraser
    clock: Clock

    def purge(self, message: PurgeMessage) -> None:
        """Finish what the message names, whatever of it is left; nothing left is fine.

        Raises:
            UnavailableError: a store does not answer, or a second look found something; to be tried again.
        """
        if message.document_id is not None:
            if self.eraser.erase(message) is None:
                VectorCleanup(self.database, self.vectors, self.clock).run(message.namespace, message.document_id)
        elif self._is_deleting(message):
            self._purge_bot(message)

    def _purge_bot(self, message: PurgeMessage) -> None:
        removed: Counter[str] = Counter()
        self._transact(message, lambda c: c.execute(queries.MARK_ALL_DELETED, self._values(message)))
        self._transact(message, lambda c: unindex_bot(c, message.bot_id))
        removed["vectors"] = self.vectors.delete_namespace(message.namespace)
        removed["objects"] = self.objects.delete_prefix(prefix(message.organization_id, message.bot_id))
        while step := self._transact(message, lambda c: self._delete_documents(c, message)):
            removed.update(step)
        while step := self._transact(message, lambda c: self._delete_conversations(c, message)):
            removed.update(step)
        self._require_nothing_left(message)
        self._transact(message, lambda c: c.execute(queries.DELETE_BOT, self._values(message)))
        receipt: dict[str, Any] = dict(removed)
        logger.info("bot deleted", bot_id=str(message.bot_id), **receipt)

    def _delete_documents(self, connection: Connection, message: PurgeMessage) -> dict[str, int]:
        values = self._values(message)
        rows = connection.execute(queries.NEXT_DOCUMENTS, values).fetchall()
        chunks = 0
        for row in rows:
            one = values | {"document_id": row["id"]}
            unindex_document(connection, message.bot_id, row["id"], except_generation=None)
            deleted = connection.execute(queries.DELETE_CHUNKS, one).fetchone()
            chunks += deleted["chunks"] if deleted else 0
            connection.execute(queries.DELETE_DOCUMENT_ROW, one)
        connection.execute(queries.HOLD_DELETING_BOT, values)
        return {"documents": len(rows), "chunks": chunks} if rows else {}

    def _delete_conversations(self, connection: Connection, message: PurgeMessage) -> dict[str, int]:
        deleted = connection.execute(queries.DELETE_CONVERSATIONS, self._values(message)).rowcount
        return {"conversations": deleted} if deleted else {}

    def _require_nothing_left(self, message: PurgeMessage) -> None:
        """Look a second time, at every store: an upload or a batch under way may have come in between."""
        rows = self._transact(message, lambda c: c.execute(queries.COUNT_LEFT, self._values(message)).fetchone()) or {}
        left = rows | {
            "vectors": self.vectors.count(message.namespace),
            "objects": self.objects.count_versions(prefix(message.organization_id, message.bot_id)),
        }
        if any(left.values()):
            logger.warning("bot not empty yet", bot_id=str(message.bot_id), **left)
            raise UnavailableError("Something of the bot is left.")

    def _is_deleting(self, message: PurgeMessage) -> bool:
        values = self._values(message)
        return self._transact(message, lambda c: c.execute(queries.HOLD_DELETING_BOT, values).fetchone()) is not None

    def _transact(self, message: PurgeMessage, work: Callable[[Connection], Result]) -> Result:
        with self.database.transaction(message.organization_id) as connection:
            return work(connection)

    def _values(self, message: PurgeMessage) -> dict[str, Any]:
        now = self.clock.now()
        return {"bot_id": message.bot_id, "limit": STEP, "now": now, "lease_expires_at": now + DELETE_LEASE}
