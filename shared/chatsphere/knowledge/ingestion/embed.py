"""Stage 3: one batch of chunks becomes vectors; the last batch makes the generation live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.billing.work import PaidWork, WorkOverBudgetError
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ChatSphereError, DocumentError, UnavailableError
from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding, choose_model, coming_embedding
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.batch_vectors import EmbeddedBatch, EmbedderFor, TextOf, write_vectors
from chatsphere.knowledge.ingestion.budget_waits import await_budget
from chatsphere.knowledge.ingestion.errors import ProcessingError
from chatsphere.knowledge.ingestion.messages import EmbedMessage
from chatsphere.knowledge.ingestion.times import EMBED_LEASE, MAX_ATTEMPTS
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS, fail_document, refresh_bot_status
from chatsphere.knowledge.ingestion.vector_cleanup import VectorCleanup
from chatsphere.knowledge.ingestion.vector_removal import VectorRemoval
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, compact, index_document
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace, VectorStore
from chatsphere.queue_batches import NotNowError, describe

MAX_SWITCHES: Final = 3
"""How often a batch follows a bot that is switched to another model meanwhile, before its message comes again."""


class SwitchedError(Exception):
    """The bot was switched to another revision while its document was about to go live at the former one."""


@dataclass(frozen=True, slots=True)
class ChunkEmbedder:
    """Embeds batches with the model of their bot."""

    database: Database
    embedders: EmbedderFor
    vectors: VectorStore
    clock: Clock
    ids: Ids
    text_of: TextOf = embedding_text

    def embed(self, message: EmbedMessage, receive_count: int) -> None:
        """Embed the batch that the message names, unless that is done or overtaken, or the budget has no room for it.

        Raises:
            NotNowError: the bot is switched to another model again and again.
            UnavailableError: something does not answer; the message must come again.
        """
        try:
            self._follow(message)
        except (NotNowError, UnavailableError):
            raise
        except WorkOverBudgetError as refusal:
            await_budget(self.database, message, refusal.needed, self.clock.now())
        except DocumentError as error:
            self._fail(message, error)
        except Exception:
            if receive_count >= MAX_ATTEMPTS:
                self._fail(message, ProcessingError())
            raise

    def _follow(self, message: EmbedMessage) -> None:
        for _ in range(MAX_SWITCHES):
            if self._embed(message):
                return
        raise NotNowError("the bot is switched to another model again and again")

    def _embed(self, message: EmbedMessage) -> bool:
        """Return whether the batch is done: at the revision that readers search, and at one that is being made."""
        first = self.embedders(None)
        with self.database.transaction(message.organization_id) as connection:
            document = connection.execute(queries.BEGIN_BATCH, self._values(message)).fetchone()
            if document is not None:
                chunks = connection.execute(queries.BATCH_CHUNKS, message.model_dump()).fetchall()
                choose_model(connection, message.bot_id, first.model, first.dimensions)
                present = bot_embedding(connection, message.organization_id, message.bot_id)
                coming = coming_embedding(connection, message.organization_id, message.bot_id)
        if document is None:
            self._overtaken(message)
            return True
        batch = _Batch(message, document["name"], chunks, frozenset(document["revisions"]))
        written = [each for each in (self._write(batch, present), self._try_to_write(batch, coming)) if each]
        return self._record(message, present.namespace, written)

    def _write(self, batch: "_Batch", embedding: BotEmbedding) -> EmbeddedBatch | None:
        if embedding.namespace.revision in batch.revisions:
            return None
        return write_vectors(
            batch.message,
            batch.name,
            batch.chunks,
            namespace=embedding.namespace,
            embedder=self.embedders(embedding.model),
            vectors=self.vectors,
            paid=PaidWork(self.database, self.clock, self.ids),
            text_of=self.text_of,
        )

    def _try_to_write(self, batch: "_Batch", coming: BotEmbedding | None) -> EmbeddedBatch | None:
        """Embed for the run that is under way as well, or it would never end in a bot that changes all the time."""
        if coming is None:
            return None
        try:
            return self._write(batch, coming)
        except ChatSphereError as error:
            # The run comes for it later. What readers are waiting for does not wait for a second model.
            logger.warning("batch left to the training run", **describe(error))
            return None

    def _record(self, message: EmbedMessage, present: Namespace, written: Sequence[EmbeddedBatch]) -> bool:
        values = self._values(message) | {"revision": present.revision}
        live = None
        try:
            with self.database.transaction(message.organization_id) as connection:
                document = connection.execute(queries.HOLD_EMBEDDING, values).fetchone()
                if document is not None:
                    for each in written:
                        connection.execute(queries.RECORD_BATCH, values | each.values())
                    counted = connection.execute(queries.COUNT_BATCHES, values).fetchone()
                    if counted and counted["embedded"] == document["expected_batches"]:
                        live = self._go_live(connection, message, values)
        except SwitchedError:
            return False
        if document is None:
            self._overtaken(message)
        elif live is not None:
            record(Metric.DOCUMENTS_READY)
            self._tidy(message, live)
        elif written:
            return self._is_searched(present)
        return True

    def _is_searched(self, namespace: Namespace) -> bool:
        """Return whether readers still search there: a run may have ended while its batch was made."""
        with self.database.transaction(namespace.organization_id) as connection:
            return bot_embedding(connection, namespace.organization_id, namespace.bot_id).namespace == namespace

    def _tidy(self, message: EmbedMessage, live: Mapping[str, Any]) -> None:
        """What readers need not wait for, after the switch."""
        if live["vector_cleanup_due"]:
            # If this is cut short, the time in the row has the reaper see to it.
            VectorCleanup(self.database, self.vectors, self.clock).run(message.namespace, message.document_id)
        # If this is cut short, the bot's next document makes up for it.
        with self.database.transaction(message.organization_id) as connection:
            compact(connection, message.bot_id, budget=SEGMENT_CHUNKS)

    def _go_live(self, connection: Connection, message: EmbedMessage, values: dict[str, Any]) -> Mapping[str, Any]:
        """Switch readers over: before the commit they see the former generation whole, after it the new one."""
        live = connection.execute(queries.GO_LIVE, values).fetchone()
        assert live is not None
        index_document(connection, message.bot_id, message.document_id, message.generation)
        connection.execute(DROP_UNSEEN_CHUNKS, values)
        connection.execute(queries.COUNT_USAGE, values | {"id": self.ids.new()})
        refresh_bot_status(connection, message.bot_id, values["now"])
        # The bot's row is held from here on, so that what is read now is what the switch of a run sees. That deletes
        # batches, too, and holds the bot before: in another order each would wait for the other.
        connection.execute(queries.DROP_FORMER_BATCHES, values)
        present = bot_embedding(connection, message.organization_id, message.bot_id)
        if present.namespace.revision != values["revision"]:
            raise SwitchedError
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
            VectorRemoval(self.database, self.vectors).run(message.namespace, message.document_id)

    def _fail(self, message: EmbedMessage, error: DocumentError) -> None:
        with self.database.transaction(message.organization_id) as connection:
            fail_document(
                connection,
                message.document_id,
                message.generation,
                error,
                now=self.clock.now(),
                ids=self.ids,
            )

    def _values(self, message: EmbedMessage) -> dict[str, Any]:
        now = self.clock.now()
        return message.model_dump() | {"now": now, "lease_expires_at": now + EMBED_LEASE}


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch to be embedded, and at which revisions it is already."""

    message: EmbedMessage
    name: str
    chunks: Sequence[Mapping[str, Any]]
    revisions: frozenset[int]
