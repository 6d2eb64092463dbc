"""Reading one document for a bot's file: its original, its passages and their vectors, all of one generation."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.vectors import VectorStore
from chatsphere.queue_batches import NotNowError
from chatsphere.transfers import export_queries as queries
from chatsphere.transfers.errors import ExportTooLargeError, VectorsMissingError
from chatsphere.transfers.format import ChunkLine
from chatsphere.transfers.limits import MAX_CHUNKS_OF_DOCUMENT
from chatsphere.transfers.spool import Spool

PAGE: Final = 200
LOOKS: Final = 3
READ_BYTES: Final = 4 * 1024 * 1024

Row = Mapping[str, Any]


class _ReplacedError(Exception):
    """Readers see another generation by now."""


@dataclass(frozen=True, slots=True)
class Original:
    """The very object that was read, and what it begins with. `size` in bytes."""

    key: str
    version: str | None
    size: int
    head: bytes


@dataclass(slots=True)
class ReadDocument:
    """One document as it came out of the stores, to be closed. `dimensions`: how long its vectors are."""

    row: Row = field(default_factory=dict)
    chunks: Spool = field(default_factory=Spool)
    vectors: Spool = field(default_factory=Spool)
    original: Original | None = None
    dimensions: int = 0

    def close(self) -> None:
        """Let go of what is kept of it."""
        self.chunks.close()
        self.vectors.close()


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads documents of a bot; threads may share it."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    include: frozenset[str]
    embedding: BotEmbedding

    def read(self, document_id: UUID) -> ReadDocument | None:
        """Return the document, None where it is gone.

        Raises:
            As `BotExport.blocks`.
        """
        found = ReadDocument()
        try:
            if self._read(document_id, found):
                found.original = self._original(found.row) if "originals" in self.include else None
                return found
        except BaseException:
            found.close()
            raise
        found.close()
        return None

    def content(self, original: Original) -> Iterator[bytes]:
        """Yield the original's bytes."""
        yield original.head
        for start in range(len(original.head), original.size, READ_BYTES):
            yield self.objects.read(original.key, original.version, start=start, length=READ_BYTES)

    @property
    def takes_vectors(self) -> bool:
        """Whether vectors are in the file."""
        return "vectors" in self.include and self.embedding.model is not None

    def _read(self, document_id: UUID, found: ReadDocument) -> bool:
        """Collect the passages of one generation, and their vectors: it may be replaced, or go, meanwhile."""
        for _ in range(LOOKS):
            found.chunks.clear()
            found.vectors.clear()
            values = {"bot_id": self.embedding.namespace.bot_id, "document_id": document_id}
            with self._transaction() as connection:
                row = connection.execute(queries.DOCUMENT, values).fetchone()
            if row is None:
                return False
            if row["chunk_count"] > MAX_CHUNKS_OF_DOCUMENT:
                raise ExportTooLargeError(f"A document of a file has up to {MAX_CHUNKS_OF_DOCUMENT} passages.")
            found.row = row
            with suppress(_ReplacedError):
                if self._collect(row, found) == row["chunk_count"]:
                    return True
        raise NotNowError("the document keeps changing")

    def _collect(self, row: Row, found: ReadDocument) -> int:
        collected, after = 0, -1
        while True:
            values = {"document_id": row["id"], "generation": row["live_generation"], "after": after, "limit": PAGE}
            with self._transaction() as connection:
                page = connection.execute(queries.CHUNKS, values).fetchall()
            for chunk in page:
                line = ChunkLine.model_construct(**{name: chunk[name] for name in ChunkLine.model_fields})
                found.chunks.write(line.model_dump_json(warnings=False).encode() + b"\n")
            if page and self.takes_vectors:
                self._collect_vectors(row, page, found)
            collected += len(page)
            if len(page) < PAGE:
                return collected
            after = page[-1]["ordinal"]

    def _collect_vectors(self, row: Row, page: Sequence[Row], document: ReadDocument) -> None:
        ids = [str(chunk["vector_id"]) for chunk in page]
        found = self.vectors.fetch(self.embedding.namespace, ids)
        if len(found) < len(ids):
            raise self._why_missing(row)
        for each in ids:
            document.vectors.write(struct.pack(f"<{len(found[each])}f", *found[each]))
        document.dimensions = len(found[ids[0]])

    def _why_missing(self, row: Row) -> Exception:
        """Return what has become of vectors that are not there any more."""
        namespace = self.embedding.namespace
        with self._transaction() as connection:
            now = connection.execute(
                queries.DOCUMENT, {"bot_id": namespace.bot_id, "document_id": row["id"]}
            ).fetchone()
            embedding = bot_embedding(connection, namespace.organization_id, namespace.bot_id)
        if now is None or now["live_generation"] != row["live_generation"]:
            # They went with it; the next look is at what took its place.
            return _ReplacedError()
        if embedding.namespace != namespace:
            return NotNowError("the bot was embedded anew")
        return VectorsMissingError()

    def _original(self, row: Row) -> Original | None:
        """Return the very object that was read, None where it is not there any more."""
        if row["s3_key"] is None or row["live_etag"] is None:
            return None
        version = row["s3_version_id"]
        if row["etag"] != row["live_etag"]:
            seen = [each for each in self.objects.versions(row["s3_key"]) if each.etag == row["live_etag"]]
            newest = max(seen, key=lambda each: each.modified_at, default=None)
            version = None if newest is None or newest.id == "null" else newest.id
        stored = self.objects.head(row["s3_key"], version)
        if stored is None or stored.etag != row["live_etag"]:
            return None
        head = self.objects.read(stored.key, version, start=0, length=READ_BYTES)
        return Original(stored.key, version, stored.size, head)

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.database.transaction(self.embedding.namespace.organization_id)
