"""One document of a bot's file: its original, its passages and their vectors, all of the generation readers see."""

import struct
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.vectors import VectorStore
from chatsphere.queue_batches import NotNowError
from chatsphere.transfers import export_queries as queries
from chatsphere.transfers.errors import ExportTooLargeError, VectorsMissingError
from chatsphere.transfers.format import ChunkLine, DocumentLine, member_of
from chatsphere.transfers.limits import MAX_CHUNKS_OF_DOCUMENT
from chatsphere.transfers.spool import Spool
from chatsphere.transfers.zip_stream import ZipStream

PAGE: Final = 200
LOOKS: Final = 3
READ_BYTES: Final = 4 * 1024 * 1024

AddMember = Callable[..., Iterator[bytes]]
Row = Mapping[str, Any]


class _ReplacedError(Exception):
    """Readers see another generation by now."""


@dataclass(slots=True)
class DocumentExport:
    """Writes one document with `add`. Afterwards `counts` says what of it is in the file, and `dimensions` how long
    its vectors are.
    """

    database: Database
    objects: ObjectStore
    vectors: VectorStore
    include: frozenset[str]
    embedding: BotEmbedding
    zip: ZipStream
    add: AddMember
    counts: Counter[str] = field(default_factory=Counter)
    dimensions: int = 0

    def blocks(self, document_id: UUID, place: int) -> Generator[bytes, None, DocumentLine | None]:
        """Yield the document's members; return its line, None where it is gone.

        Raises:
            As `BotExport.blocks`.
        """
        with Spool() as chunks, Spool() as vectors:
            row = self._read(document_id, chunks, vectors)
            if row is None:
                return None
            name = member_of(place, "chunks.jsonl")
            yield from self.add(name, chunks.blocks())
            if with_vectors := self._takes_vectors:
                yield from self.add(member_of(place, "vectors.f32"), vectors.blocks(), compressed=False)
            original = self._original(row) if "originals" in self.include else None
            if original is not None:
                yield from self.add(member_of(place, "original"), self._content(*original), compressed=False)
        self.counts["documents"] += 1
        self.counts["chunks"] += row["chunk_count"]
        self.counts["originals"] += original is not None
        self.counts["vectors"] += row["chunk_count"] if with_vectors else 0
        members = self.zip.members
        key = None
        with suppress(InvalidNameError):
            key = None if row["s3_key"] is None else ObjectKey.parse(row["s3_key"]).name
        return DocumentLine.model_construct(
            **{name: row[name] for name in DocumentLine.model_fields if name in row},
            key=key,
            original=members.get(member_of(place, "original")) if original is not None else None,
            chunks=members[member_of(place, "chunks.jsonl")],
            vectors=members[member_of(place, "vectors.f32")] if with_vectors else None,
        )

    @property
    def _takes_vectors(self) -> bool:
        return "vectors" in self.include and self.embedding.model is not None

    def _read(self, document_id: UUID, chunks: Spool, vectors: Spool) -> Row | None:
        """Collect the passages of one generation, and their vectors: it may be replaced, or go, meanwhile."""
        for _ in range(LOOKS):
            chunks.clear()
            vectors.clear()
            values = {"bot_id": self.embedding.namespace.bot_id, "document_id": document_id}
            with self._transaction() as connection:
                row = connection.execute(queries.DOCUMENT, values).fetchone()
            if row is None:
                return None
            if row["chunk_count"] > MAX_CHUNKS_OF_DOCUMENT:
                raise ExportTooLargeError(f"A document of a file has up to {MAX_CHUNKS_OF_DOCUMENT} passages.")
            with suppress(_ReplacedError):
                if self._collect(row, chunks, vectors) == row["chunk_count"]:
                    return row
        raise NotNowError("the document keeps changing")

    def _collect(self, row: Row, chunks: Spool, vectors: Spool) -> int:
        collected, after = 0, -1
        while True:
            values = {"document_id": row["id"], "generation": row["live_generation"], "after": after, "limit": PAGE}
            with self._transaction() as connection:
                page = connection.execute(queries.CHUNKS, values).fetchall()
            for chunk in page:
                line = ChunkLine.model_construct(**{name: chunk[name] for name in ChunkLine.model_fields})
                chunks.write(line.model_dump_json(warnings=False).encode() + b"\n")
            if page and self._takes_vectors:
                self._collect_vectors(row, page, vectors)
            collected += len(page)
            if len(page) < PAGE:
                return collected
            after = page[-1]["ordinal"]

    def _collect_vectors(self, row: Row, page: Sequence[Row], vectors: Spool) -> None:
        ids = [str(chunk["vector_id"]) for chunk in page]
        found = self.vectors.fetch(self.embedding.namespace, ids)
        if len(found) < len(ids):
            with self._transaction() as connection:
                values = {"bot_id": self.embedding.namespace.bot_id, "document_id": row["id"]}
                now = connection.execute(queries.DOCUMENT, values).fetchone()
            if now is None or now["live_generation"] != row["live_generation"]:
                # Its vectors went with it; the next look is at what took its place.
                raise _ReplacedError
            raise VectorsMissingError
        for each in ids:
            vectors.write(struct.pack(f"<{len(found[each])}f", *found[each]))
        self.dimensions = len(found[ids[0]])

    def _original(self, row: Row) -> tuple[str, str | None, int] | None:
        """Return key, version and size of the very object that was read, None where it is not there any more."""
        if row["s3_key"] is None or row["live_etag"] is None:
            return None
        version = row["s3_version_id"]
        if row["etag"] != row["live_etag"]:
            seen = [each for each in self.objects.versions(row["s3_key"]) if each.etag == row["live_etag"]]
            newest = max(seen, key=lambda each: each.modified_at, default=None)
            version = None if newest is None or newest.id == "null" else newest.id
        stored = self.objects.head(row["s3_key"], version)
        return None if stored is None or stored.etag != row["live_etag"] else (stored.key, version, stored.size)

    def _content(self, key: str, version: str | None, size: int) -> Iterator[bytes]:
        for start in range(0, size, READ_BYTES):
            yield self.objects.read(key, version, start=start, length=READ_BYTES)

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self.database.transaction(self.embedding.namespace.organization_id)
