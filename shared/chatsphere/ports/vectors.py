"""Where the chunks' vectors are kept and searched."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chatsphere.ports.embedding import Vector


@dataclass(frozen=True, slots=True)
class Namespace:
    """One bot's vectors of one revision of its embedding; nothing crosses from one namespace to another.

    `dimensions`, the length of its vectors, says where a store that keeps each length apart has to look; None stands
    for the deployment's. A revision is of one model, so that it is no part of what a namespace is.
    """

    organization_id: UUID
    bot_id: UUID
    revision: int = 0
    dimensions: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class VectorRecord:
    """One vector. `id` is `document:generation:ordinal`, so that writing it twice changes nothing."""

    id: str
    values: Vector
    document_id: UUID
    generation: int
    chunk_id: UUID


@dataclass(frozen=True, slots=True)
class VectorMatch:
    """A stored vector and its cosine similarity with the query, in [-1, 1]."""

    chunk_id: UUID
    document_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class VectorsPage:
    """Documents that have vectors in a part of a namespace, and where the next part begins: None after the last."""

    documents: frozenset[UUID]
    next_place: str | None


class VectorStore(Protocol):
    """Stores vectors by namespace and finds the nearest."""

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records; one with a known id replaces it. Then searches find them, or will in a moment.

        Raises:
            NotFoundError: a record's document was deleted meanwhile; only stores that can know it raise this.
        """
        ...

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return up to `limit` nearest vectors of live generations and others, best first.

        `documents` restricts the search to these documents; an empty collection finds nothing.
        """
        ...

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """Delete a document's vectors; return how many were deleted.

        `except_generation` stays, and so does all that is newer than `through_generation`, where they are named.

        Raises:
            UnavailableError: also where the store cannot show yet that they are gone; to be tried again.
        """
        ...

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the namespace and return how many there were.

        Raises:
            UnavailableError: as `delete_document`.
        """
        ...

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors of the namespace, or of one document in it."""
        ...

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of these ids as they are kept, as precisely as the store does; of those it shows."""
        ...

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return which documents have vectors in the next part of the namespace; one may be in several parts.

        `after` is the `next_place` of the part before. A vector that is written or deleted meanwhile may be missed.
        """
        ...
