"""One document of a file becomes one of the new bot's: without being read again, and where its vectors are of a model
that is here, without being embedded. Done again from any point, it becomes the same document.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.billing.quotas import Quota, hold_organization, require_room
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.knowledge.ingestion import work_queries
from chatsphere.knowledge.ingestion.messages import ExtractMessage, vector_id
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.parts import BATCH_CHUNKS
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, index_ahead, index_document
from chatsphere.ports.embedding import Vector
from chatsphere.ports.objects import ObjectStore, StoredObject
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import Namespace, VectorRecord, VectorStore
from chatsphere.transfers import import_queries as queries
from chatsphere.transfers.checking import passages
from chatsphere.transfers.errors import BotGoneError
from chatsphere.transfers.format import ChunkLine, DocumentLine, EmbeddedBy, member_of
from chatsphere.transfers.new_ids import chunk_id, document_id
from chatsphere.transfers.reading import TransferFile

SHA256: Final = "sha256"
"""Metadata of an original that was put by an import: by it one that was put before is known."""

Passage = tuple[ChunkLine, Vector | None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the documents go. `kept` names the model whose vectors are taken over; None: they are made anew."""

    organization_id: UUID
    bot_id: UUID
    import_id: UUID
    kept: EmbeddedBy | None

    @property
    def namespace(self) -> Namespace:
        """Where the bot's vectors are."""
        return Namespace(self.organization_id, self.bot_id, 0, self.kept.dimensions if self.kept else None)


@dataclass(frozen=True, slots=True)
class DocumentImport:
    """Makes documents of `target`. `alive` is called now and then, and may raise."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    clock: Clock
    target: Target
    alive: Callable[[], None]

    def make(self, file: TransferFile, place: int, line: DocumentLine) -> ExtractMessage:
        """Make the document at this place of the file; return which it is.

        Raises:
            BotGoneError: the bot was deleted meanwhile.
            QuotaExceededError: the plan has no room for it any more.
            InvalidFileError: the file is not what was checked.
            UnavailableError: a store does not answer.
        """
        message = ExtractMessage(
            organization_id=self.target.organization_id,
            bot_id=self.target.bot_id,
            document_id=document_id(self.target.import_id, place),
            generation=1,
        )
        self._insert(message, line)
        if line.original is not None and line.key is not None:
            self._note_object(message, self._put(file, place, line))
        kept = self.target.kept
        # Where vectors are made anew, the file's are not even read.
        read = line if kept is not None else line.model_copy(update={"vectors": None})
        self._keep_passages(message, place, passages(file, place, read, kept))
        return message

    def show(self, connection: Connection, message: ExtractMessage, line: DocumentLine) -> None:
        """Let readers of the bot see the document, where its vectors were taken over; as embedding does at its end."""
        if self.target.kept is None:
            return
        values = self._values(message) | {"batches": _batches(line), "model": self.target.kept.model, "revision": 0}
        connection.execute(queries.RECORD_BATCHES, values)
        connection.execute(work_queries.GO_LIVE, values)
        index_document(connection, message.bot_id, message.document_id, message.generation)
        connection.execute(queries.NOTE_UNREAD, values | {"unread_page_count": line.unread_page_count})

    def _insert(self, message: ExtractMessage, line: DocumentLine) -> None:
        key = None
        if line.key is not None and line.original is not None:
            key = ObjectKey(message.organization_id, message.bot_id, line.key)
            key.check()
        values = self._values(message) | line.model_dump(
            include={"name", "source", "url", "content_type", "sha256", "page_count", "tags"}
        )
        values |= {"key": key and str(key), "batches": _batches(line), "metadata": Jsonb(dict(line.metadata))}
        with self.database.transaction(message.organization_id) as connection:
            hold_organization(connection)
            self._hold_bot(connection)
            if connection.execute(queries.INSERT_DOCUMENT, values).rowcount:
                # After it: one that was inserted before takes no further place.
                require_room(connection, Quota.BYTES, adding=line.original.size if line.original else 0)

    def _put(self, file: TransferFile, place: int, line: DocumentLine) -> StoredObject:
        assert line.original is not None
        assert line.key is not None
        key = str(ObjectKey(self.target.organization_id, self.target.bot_id, line.key))
        present = self.objects.head(key)
        if present is not None and present.metadata.get(SHA256) == line.original.sha256:
            return present
        return self.objects.put_stream(
            key,
            file.content(member_of(place, "original"), line.original),
            content_type=line.content_type or "application/octet-stream",
            metadata={SHA256: line.original.sha256},
        )

    def _note_object(self, message: ExtractMessage, stored: StoredObject) -> None:
        values = {"version_id": stored.version_id, "etag": stored.etag, "size": stored.size}
        with self.database.transaction(message.organization_id) as connection:
            self._hold_bot(connection)
            connection.execute(queries.NOTE_OBJECT, self._values(message) | values)

    def _keep_passages(self, message: ExtractMessage, place: int, found: Iterator[Passage]) -> None:
        with self.database.transaction(message.organization_id) as connection:
            row = connection.execute(queries.KEPT_BATCHES, self._values(message)).fetchone()
        # The last one may lack its vectors.
        whole = max(0, row["batches"] - 1) if row else 0
        number = unindexed = 0
        while batch := list(islice(found, BATCH_CHUNKS)):
            number += 1
            if number <= whole:
                continue
            self.alive()
            rows = list(self._rows(message, place, number - 1, (chunk for chunk, _ in batch)))
            values = self._values(message) | {"batch": number - 1, "chunks": Jsonb(rows)}
            with self.database.transaction(message.organization_id) as connection:
                self._hold_bot(connection)
                connection.execute(queries.INSERT_CHUNKS, values)
            self._keep_vectors(message, rows, [vector for _, vector in batch if vector is not None])
            unindexed += len(batch)
            if unindexed >= SEGMENT_CHUNKS and self.target.kept is not None:
                with self.database.transaction(message.organization_id) as connection:
                    index_ahead(connection, message.bot_id, message.document_id, message.generation)
                unindexed = 0

    def _rows(
        self, message: ExtractMessage, place: int, batch: int, chunks: Iterable[ChunkLine]
    ) -> Iterator[dict[str, Any]]:
        for ordinal, chunk in enumerate(chunks, start=batch * BATCH_CHUNKS):
            ids = {
                "id": str(chunk_id(self.target.import_id, place, ordinal)),
                "vector_id": vector_id(message, ordinal),
                "ordinal": ordinal,
            }
            yield chunk.model_dump() | ids

    def _keep_vectors(self, message: ExtractMessage, rows: Sequence[dict[str, Any]], vectors: Sequence[Vector]) -> None:
        if not vectors:
            return
        records = [
            VectorRecord(row["vector_id"], vector, message.document_id, message.generation, UUID(row["id"]))
            for row, vector in zip(rows, vectors, strict=True)
        ]
        try:
            self.vectors.upsert(self.target.namespace, records)
        except NotFoundError:
            raise BotGoneError from None

    def _hold_bot(self, connection: Connection) -> None:
        if connection.execute(queries.HOLD_BOT, {"bot_id": self.target.bot_id}).fetchone() is None:
            raise BotGoneError

    def _values(self, message: ExtractMessage) -> dict[str, Any]:
        return message.model_dump() | {"now": self.clock.now()}


def _batches(line: DocumentLine) -> int:
    return -(-line.chunk_count // BATCH_CHUNKS)
