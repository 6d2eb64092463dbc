"""Stage 3: one batch of chunks becomes vectors; the last batch makes the generation live."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.errors import ProcessingError
from chatsphere.knowledge.ingestion.messages import EmbedMessage, vector_id
from chatsphere.knowledge.ingestion.times import CLEANUP_LEASE, EMBED_LEASE, MAX_ATTEMPTS
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS, fail_document, refresh_bot_status
from chatsphere.knowledge.ingestion.vector_cleanup import VectorCleanup
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, compact, index_document
from chatsphere.observability import Metric, logger, record
from chatsphere.ports import Clock, Embedder, Ids, VectorRecord, VectorStore
from chatsphere.queue_batches import NotNowError

TextOf = Callable[[str, Sequence[str], str], str]


@dataclass(frozen=True, slots=True)
class ChunkEmbedder:
    """Embeds batches. `text_of(document name, heading path, content)` is what is embedded for a chunk."""

    database: Database
    embedder: Embedder
    vectors: VectorStore
    clock: Clock
    ids: Ids
    text_of: TextOf = embedding_text

    def embed(self, message: EmbedMessage, receive_count: int) -> None:
        """Embed the batch that the message names, unless that is done or overtaken.

        Raises:
            NotNowError: a former generation's vectors are just being deleted.
            UnavailableError: something does not answer; the message must come again.
        """
        try:
            self._embed(message)
        except (NotNowError, UnavailableError):
            raise
        except Exception:
            if receive_count >= MAX_ATTEMPTS:
                self._fail(message)
            raise

    def _embed(self, message: EmbedMessage) -> None:
        with self.database.transaction(message.organization_id) as connection:
            document = connection.execute(queries.BEGIN_BATCH, self._values(message)).fetchone()
            chunks = connection.execute(queries.BATCH_CHUNKS, message.model_dump()).fetchall() if document else []
        if document is None:
            self._overtaken(message)
            return
        if not document["embedded"]:
            if document["cleaning"]:
                raise NotNowError("vectors of a former generation are being deleted")
            self._write_vectors(message, document["name"], chunks)
        self._record(message)

    def _write_vectors(self, message: EmbedMessage, name: str, chunks: Sequence[Mapping[str, Any]]) -> None:
        texts = [self.text_of(name, chunk["heading_path"], chunk["content"]) for chunk in chunks]
        vectors = self.embedder.embed_documents(texts)
        records = [
            VectorRecord(
                id=vector_id(message, chunk["ordinal"]),
                values=vector,
                document_id=message.document_id,
                generation=message.generation,
                chunk_id=chunk["id"],
            )
            for chunk, vector in zip(chunks, vectors, strict=True)
        ]
        self.vectors.upsert(message.namespace, records)
        record(Metric.CHUNKS_EMBEDDED, len(chunks))
        record(Metric.TOKENS_EMBEDDED, sum(chunk["token_count"] for chunk in chunks))

    def _record(self, message: EmbedMessage) -> None:
        values = self._values(message) | {"model": self.embedder.model}
        live = None
        with self.database.transaction(message.organization_id) as connection:
            document = connection.execute(queries.HOLD_EMBEDDING, values).fetchone()
            if document is not None:
                connection.execute(queries.RECORD_BATCH, values)
                counted = connection.execute(queries.COUNT_BATCHES, values).fetchone()
                if counted and counted["embedded"] == document["expected_batches"]:
                    live = self._go_live(connection, message, values)
        if document is None:
            self._overtaken(message)
        elif live is not None:
            record(Metric.DOCUMENTS_READY)
            self._tidy(message, live)

    def _tidy(self, message: EmbedMessage, live: Mapping[str, Any]) -> None:
        """What readers need not wait for, after the switch."""
        if live["vector_cleanup_due"]:
            # If this is cut short, the time it leaves in the row has the reaper see to it.
            cleanup = VectorCleanup(self.database, self.vectors, self.clock)
            cleanup.finish(message.namespace, message.document_id, message.generation, live["vector_cleanup_due"])
        # If this is cut short, the bot's next document makes up for it.
        with self.database.transaction(message.organization_id) as connection:
            compact(connection, message.bot_id, budget=SEGMENT_CHUNKS)

    def _go_live(self, connection: Connection, message: EmbedMessage, values: dict[str, Any]) -> Mapping[str, Any]:
        """Switch readers over: before the commit they see the former generation whole, after it the new one."""
        live = connection.execute(queries.GO_LIVE, values).fetchone()
        assert live is not None
        index_document(connection, message.bot_id, message.document_id, message.generation)
        connection.execute(DROP_UNSEEN_CHUNKS, values)
        connection.execute(queries.DROP_FORMER_BATCHES, values)
        refresh_bot_status(connection, message.bot_id, values["now"])
        logger.info(
            "document ready",
            document_id=str(message.document_id),
            generation=message.generation,
            chunks=live["chunk_count"],
        )
        return live

    def _overtaken(self, message: EmbedMessage) -> None:
        """The generation is not wanted any more: vectors that were written for it must not stay."""
        values = self._values(message)
        with self.database.transaction(message.organization_id) as connection:
            if connection.execute(queries.IS_FINISHED, values).fetchone():
                return
            left = connection.execute(queries.LEAVE_VECTORS, values).fetchone()
        if left is None:
            self.vectors.delete_document(message.namespace, message.document_id)

    def _fail(self, message: EmbedMessage) -> None:
        with self.database.transaction(message.organization_id) as connection:
            fail_document(
                connection,
                message.document_id,
                message.generation,
                ProcessingError(),
                now=self.clock.now(),
                ids=self.ids,
            )

    def _values(self, message: EmbedMessage) -> dict[str, Any]:
        now = self.clock.now()
        times = {"now": now, "lease_expires_at": now + EMBED_LEASE, "cleanup_until": now + CLEANUP_LEASE}
        return message.model_dump() | times
