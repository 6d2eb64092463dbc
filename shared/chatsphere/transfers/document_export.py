"""Writing one document into a bot's file."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.transfers.document_reading import DocumentReader, ReadDocument
from chatsphere.transfers.format import DocumentLine, member_of
from chatsphere.transfers.zip_stream import ZipStream

AddMember = Callable[..., Iterator[bytes]]


@dataclass(slots=True)
class DocumentExport:
    """Writes documents with `add`. `counts` says what of them is in the file, and `dimensions` how long their vectors
    are.
    """

    reader: DocumentReader
    zip: ZipStream
    add: AddMember
    counts: Counter[str] = field(default_factory=Counter)
    dimensions: int = 0

    def blocks(self, found: ReadDocument, place: int) -> Generator[bytes, None, DocumentLine]:
        """Yield the document's members; return its line."""
        row, original, with_vectors = found.row, found.original, self.reader.takes_vectors
        yield from self.add(member_of(place, "chunks.jsonl"), found.chunks.blocks())
        if with_vectors:
            yield from self.add(member_of(place, "vectors.f32"), found.vectors.blocks(), compressed=False)
            self.dimensions = found.dimensions or self.dimensions
        if original is not None:
            yield from self.add(member_of(place, "original"), self.reader.content(original), compressed=False)
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
