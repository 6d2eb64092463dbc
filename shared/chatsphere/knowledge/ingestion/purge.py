"""Finishing deletions: a document's, a document's former vectors', a whole bot's, and the last look after each."""

from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion import deletion_queries as queries
from chatsphere.knowledge.ingestion import receipt_queries
from chatsphere.knowledge.ingestion.deletion import CHUNKS_STEP, Eraser
from chatsphere.knowledge.ingestion.memory_removal import MemoryRemoval
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import prefix
from chatsphere.knowledge.ingestion.receipts import (
    Deletion,
    claim_deletion,
    finish_deletion,
    note_found,
    note_removed,
)
from chatsphere.knowledge.ingestion.times import DELETE_LEASE, ERASE_TIME
from chatsphere.knowledge.ingestion.vector_cleanup import VectorCleanup
from chatsphere.knowledge.ingestion.vector_removal import VectorRemoval
from chatsphere.knowledge.retrieval.lexical_index import unindex_some
from chatsphere.observability import logger
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import VectorStore
from chatsphere.queue_batches import NotNowError

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
    messages: MessageVectors

    def purge(self, message: PurgeMessage) -> None:
        """Finish what the message names, whatever of it is left; nothing left is fine.

        Raises:
            UnavailableError: a store does not answer, or a second look found something; to be tried again.
            NotNowError: the time is up; what is done is kept, and the rest is for the next time.
        """
        if self._looks_once_more(message):
            return
        if message.document_id is None:
            self._purge_bot(message)
        elif self.eraser.erase(message) is None:
            VectorCleanup(self.database, self.vectors, self.clock).run(message.namespace, message.document_id)

    def _purge_bot(self, message: PurgeMessage) -> None:
        ends = self.clock.now() + ERASE_TIME
        with self.database.transaction(message.organization_id) as connection:
            deleting = connection.execute(queries.HOLD_DELETING_BOT, self._values(message)).fetchone()
            # A bot that went with its organization has none.
            deletion = claim_deletion(connection, message.bot_id, None, self.clock.now())
            if deleting is None and deletion is None:
                return
            connection.execute(queries.MARK_ALL_DELETED, self._values(message))
        self._empty_stores(message, deletion)
        while self._remove_rows(message, deletion):
            if self.clock.now() >= ends:
                raise NotNowError("the deletion takes longer")
        self._finish(message, deletion)

    def _empty_stores(self, message: PurgeMessage, deletion: Deletion | None) -> None:
        place, removal = prefix(message.organization_id, message.bot_id), VectorRemoval(self.database, self.vectors)
        found = {
            "vectors": removal.count(message.namespace, None),
            "memory_vectors": self._memory.count(message.namespace),
            "object_versions": self.objects.count_versions(place),
        }
        with self.database.transaction(message.organization_id) as connection:
            note_found(connection, deletion, found)
        removal.run(message.namespace, None)
        self._memory.run(message.namespace)
        self.objects.delete_prefix(place)

    def _remove_rows(self, message: PurgeMessage, deletion: Deletion | None) -> bool:
        """Remove some of a bot's rows, and count them; return whether there were any."""
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(queries.HOLD_DELETING_BOT, self._values(message))
            claim_deletion(connection, message.bot_id, None, self.clock.now())
            removed = _some_rows(connection, message, self._values(message))
            note_removed(connection, deletion, removed)
        return any(removed.values())

    def _finish(self, message: PurgeMessage, deletion: Deletion | None) -> None:
        """Look a second time, at every store: an upload or a batch under way may have come in between."""
        removal = VectorRemoval(self.database, self.vectors)
        places, memory_places = removal.places(message.namespace), self._memory.places(message.namespace)
        stores = {
            "vectors": removal.count(message.namespace, None),
            "memory_vectors": self._memory.count(message.namespace),
            "object_versions": self.objects.count_versions(prefix(message.organization_id, message.bot_id)),
        }
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            # Another one may be here, too: it is waited for, and what it removed is not counted twice.
            bots = connection.execute(queries.HOLD_DELETING_BOT, values).rowcount
            left: dict[str, Any] = stores | dict(connection.execute(queries.COUNT_LEFT, values).fetchone() or {})
            if any(left.values()):
                logger.warning("bot not empty yet", bot_id=str(message.bot_id), **left)
                raise UnavailableError("Something of the bot is left.")
            tables = [row["name"] for row in connection.execute(queries.TABLES_OF_BOTS)]
            note_removed(connection, deletion, _count(connection, tables, values) | {"bots": bots})
            connection.execute(queries.DELETE_BOT, values)
            left |= _count(connection, tables, values) | {"bots": 0}
            connection.execute(receipt_queries.FINISH_WITH_BOT, values | {"left_over": Jsonb(left)})
            if deletion is not None:
                deletion = finish_deletion(connection, deletion, left, values["now"], places, memory_places)
        counts: dict[str, Any] = dict(deletion.removed if deletion else {})
        logger.info("bot deleted", bot_id=str(message.bot_id), **counts)

    def _looks_once_more(self, message: PurgeMessage) -> bool:
        """Remove what stores have shown since the receipt; return whether that was what the message asked for."""
        if message.deletion_id is None:
            return False
        values: dict[str, Any] = {"id": message.deletion_id, "now": self.clock.now()}
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(receipt_queries.DUE, values).fetchone()
            if row is None:
                return False
        removal, former = VectorRemoval(self.database, self.vectors), Deletion.of(row)
        late: dict[str, Any] = {"vectors": removal.run(message.namespace, message.document_id, former.vector_places)}
        if message.document_id is None:
            late["memory_vectors"] = self._memory.run(message.namespace, former.memory_places)
            late["object_versions"] = self.objects.delete_prefix(prefix(message.organization_id, message.bot_id))
        with self.database.transaction(message.organization_id) as connection:
            connection.execute(receipt_queries.FINISH_RECHECK, values | {"late": Jsonb(late)})
        if any(late.values()):
            logger.warning("found after a deletion", deletion_id=str(message.deletion_id), **late)
        return True

    @property
    def _memory(self) -> MemoryRemoval:
        return MemoryRemoval(self.database, self.messages)

    def _values(self, message: PurgeMessage) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "bot_id": message.bot_id,
            "limit": STEP,
            "chunks": CHUNKS_STEP,
            "now": now,
            "lease_expires_at": now + DELETE_LEASE,
        }


def _some_rows(connection: Connection, message: PurgeMessage, values: dict[str, Any]) -> dict[str, int]:
    if entries := unindex_some(connection, message.bot_id):
        return {"lexical_entries": entries}
    if chunks := connection.execute(queries.DELETE_SOME_BOT_CHUNKS, values).rowcount:
        return {"chunks": chunks}
    if documents := connection.execute(queries.DELETE_SOME_DOCUMENTS, values).rowcount:
        return {"documents": documents}
    return dict(connection.execute(queries.DELETE_SOME_CONVERSATIONS, values).fetchone() or {})


def _count(connection: Connection, tables: list[str], values: dict[str, Any]) -> dict[str, int]:
    """Return how many rows of a bot's each table holds."""
    query = (
        "(SELECT count(*) FROM {0} WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s) AS {0}"
    )
    columns = sql.SQL(", ").join(sql.SQL(query).format(sql.Identifier(table)) for table in tables)
    return dict(connection.execute(sql.SQL("SELECT {}").format(columns), values).fetchone() or {})
