"""Looking a file through before anything is made of it: all that it says, against all that it holds."""

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final
from uuid import UUID

from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.retrieval.embedding_text import embedding_text
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.transfers.errors import FileTooLargeError, InvalidFileError, VectorsDifferError
from chatsphere.transfers.format import (
    DOCUMENTS,
    EVALUATION_SETS,
    FLOAT_BYTES,
    MAX_EVALUATION_LINES,
    VERSIONS,
    BotLine,
    ChunkLine,
    DocumentLine,
    EmbeddedBy,
    EvaluationLine,
    Manifest,
    VersionLine,
    member_of,
)
from chatsphere.transfers.limits import MAX_CHUNKS, MAX_DOCUMENTS, MAX_VERSIONS
from chatsphere.transfers.reading import TransferFile

SAMPLES: Final = 4
"""Passages that are embedded to see whether the file's vectors are of this model."""

LEAST_COSINE: Final = 0.97
"""Between a vector of the file and ours: half precision takes a thousandth, another build of a model more."""

_UNIT: Final = 0.02
"""How far a vector's length may be from 1."""

_MAX_SETS: Final = 50
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. `original_bytes` is what its originals take together."""

    bot: BotLine
    documents: int
    chunks: int
    original_bytes: int


def documents(file: TransferFile, manifest: Manifest) -> Iterator[DocumentLine]:
    """Yield the file's documents."""
    return file.lines(DOCUMENTS, manifest.members["documents.jsonl"], DocumentLine, most=MAX_DOCUMENTS)


def versions(file: TransferFile, manifest: Manifest) -> Iterator[VersionLine]:
    """Yield the file's former versions."""
    return file.lines(VERSIONS, manifest.members["versions.jsonl"], VersionLine, most=MAX_VERSIONS)


def evaluations(file: TransferFile, manifest: Manifest) -> Iterator[EvaluationLine]:
    """Yield the file's evaluation sets with their cases."""
    member = manifest.members["evaluation_sets.jsonl"]
    return file.lines(EVALUATION_SETS, member, EvaluationLine, most=MAX_EVALUATION_LINES)


def passages(
    file: TransferFile, place: int, line: DocumentLine, embedded_by: EmbeddedBy | None
) -> Iterator[tuple[ChunkLine, Vector | None]]:
    """Yield a document's passages, each with its vector where the file has vectors.

    Raises:
        InvalidFileError: there are more or fewer than the document says, or a vector is none.
    """
    chunks = file.lines(member_of(place, "chunks.jsonl"), line.chunks, ChunkLine, most=line.chunk_count)
    vectors = _vectors(file, place, line, embedded_by)
    count = 0
    for chunk, vector in zip_longest(chunks, vectors) if vectors is not None else ((each, None) for each in chunks):
        if chunk is None or (vectors is not None and vector is None):
            break
        count += 1
        yield chunk, vector
    if count != line.chunk_count:
        raise InvalidFileError(f"Document {place} has not as many passages, or vectors, as it says.")


def check(
    file: TransferFile,
    manifest: Manifest,
    embedder: Embedder | None,
    *,
    max_original_bytes: int,
    alive: Callable[[], None],
) -> Found:
    """Read all of the file. `embedder` is the model that its vectors are said to be of, None where there is no such.

    `alive` is called now and then, and may raise.

    Raises:
        InvalidFileError, FileTooLargeError: it is not what it says, or over a limit.
        VectorsDifferError: its vectors are another model's.
    """
    bot = file.bot(manifest)
    keys: set[str] = set()
    chunks = original_bytes = count = 0
    samples = _Samples(embedder, every=max(1, manifest.counts.get("documents", 0) // SAMPLES))
    for place, line in enumerate(documents(file, manifest)):
        alive()
        _check_line(line, manifest, max_original_bytes)
        if line.key is not None:
            _check_key(line.key, keys)
        if line.original is not None:
            original_bytes += line.original.size
            _drain(file.content(member_of(place, "original"), line.original))
        for ordinal, (chunk, vector) in enumerate(passages(file, place, line, manifest.embedded_by)):
            if ordinal == line.chunk_count // 2 and vector is not None:
                samples.take(place, line.name, chunk, vector)
        chunks += line.chunk_count
        count += 1
        if chunks > MAX_CHUNKS:
            raise FileTooLargeError(f"A file holds up to {MAX_CHUNKS} passages.")
    samples.compare()
    _check_versions(file, manifest, bot)
    _check_evaluations(file, manifest, count)
    return Found(bot, count, chunks, original_bytes)


def _check_line(line: DocumentLine, manifest: Manifest, max_original_bytes: int) -> None:
    if (line.vectors is None) != (manifest.embedded_by is None):
        raise InvalidFileError("Some documents have vectors, and others have not.")
    if line.original is not None and (line.key is None or line.original.size > max_original_bytes):
        raise FileTooLargeError(f"An original may hold {max_original_bytes} bytes, and has a name.")


def _check_key(key: str, keys: set[str]) -> None:
    try:
        ObjectKey(_NOBODY, _NOBODY, key).check()
    except InvalidNameError as error:
        raise InvalidFileError(f"A document's name cannot be a document's: {error.detail}") from None
    if key in keys:
        raise InvalidFileError("Two documents have the same name.")
    keys.add(key)


def _check_versions(file: TransferFile, manifest: Manifest, bot: BotLine) -> None:
    before = 0
    for line in versions(file, manifest):
        if not before < line.version <= bot.version:
            raise InvalidFileError("The versions are not in order.")
        before = line.version


def _check_evaluations(file: TransferFile, manifest: Manifest, document_count: int) -> None:
    names: set[str] = set()
    for line in evaluations(file, manifest):
        if line.set is not None:
            if line.set in names or len(names) == _MAX_SETS:
                raise InvalidFileError("There are too many evaluation sets, or two of one name.")
            names.add(line.set)
        elif not names:
            raise InvalidFileError("A case is in no evaluation set.")
        elif line.case is not None and any(
            (each.place or 0) >= max(1, document_count) for each in line.case.relevant_documents
        ):
            raise InvalidFileError("A case names a document that is not in the file.")


def _vectors(
    file: TransferFile, place: int, line: DocumentLine, embedded_by: EmbeddedBy | None
) -> Iterator[Vector] | None:
    if line.vectors is None or embedded_by is None:
        return None
    if line.vectors.size != line.chunk_count * embedded_by.dimensions * FLOAT_BYTES:
        raise InvalidFileError(f"The vectors of document {place} are not as long, or as many, as they are to be.")
    return _unpacked(file.content(member_of(place, "vectors.f32"), line.vectors), embedded_by.dimensions, place)


def _unpacked(blocks: Iterator[bytes], dimensions: int, place: int) -> Iterator[Vector]:
    one = struct.Struct(f"<{dimensions}f")
    held = bytearray()
    for block in blocks:
        held += block
        whole = len(held) // one.size * one.size
        for vector in one.iter_unpack(held[:whole]):
            # Also where a number is none: comparing NaN is never true.
            if not abs(math.hypot(*vector) - 1) <= _UNIT:
                raise InvalidFileError(f"Document {place} has a vector that is none.")
            yield vector
        del held[:whole]


def _drain(blocks: Iterator[bytes]) -> None:
    for _ in blocks:
        pass


class _Samples:
    """Some passages with their vectors, spread over the file."""

    def __init__(self, embedder: Embedder | None, every: int) -> None:
        self._embedder = embedder
        self._every = every
        self._texts: list[str] = []
        self._vectors: list[Vector] = []

    def take(self, place: int, name: str, chunk: ChunkLine, vector: Vector) -> None:
        """Keep the passage if it is one of the sample."""
        if self._embedder is not None and place % self._every == 0 and len(self._texts) < SAMPLES:
            self._texts.append(embedding_text(name, chunk.heading_path, chunk.content))
            self._vectors.append(vector)

    def compare(self) -> None:
        """Raise `VectorsDifferError` where the model makes others of these texts."""
        if self._embedder is None or not self._texts:
            return
        for ours, theirs in zip(self._embedder.embed_documents(self._texts), self._vectors, strict=True):
            if _cosine(ours, theirs) < LEAST_COSINE:
                raise VectorsDifferError


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other) or 1.0)
