"""Pinecone for vectors that the deployment's index is not made for: an index of their own, made when they come."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from chatsphere.adapters.pinecone.index import IndexMissingError, ensure_index
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage
from chatsphere.settings import VectorStoreSettings

MAKING_SECONDS: Final = 60.0
"""How long a write waits for an index that it has made; after that the writer comes again."""


class FurtherPineconeIndex(PineconeVectorStore):
    """`{pinecone_index}-{dimensions}`. Until the first vectors come there is none, and it counts as empty."""

    def __init__(self, settings: VectorStoreSettings, dimensions: int) -> None:
        name = f"{settings.pinecone_index}-{dimensions}"
        changes = {"pinecone_index": name, "pinecone_host": None, "vector_dimensions": dimensions}
        self._own = settings.model_copy(update=changes)
        super().__init__(self._own)

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records, into an index that is made if need be.

        Raises:
            UnavailableError: also where the new index is not ready yet.
        """
        try:
            super().upsert(namespace, records)
        except IndexMissingError:
            ensure_index(self._own, self._own.vector_dimensions, timeout_seconds=MAKING_SECONDS)
            super().upsert(namespace, records)

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """See `PineconeVectorStore.query`."""
        try:
            return super().query(namespace, vector, limit=limit, documents=documents)
        except IndexMissingError:
            return []

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """See `PineconeVectorStore.delete_document`."""
        try:
            return super().delete_document(
                namespace, document_id, except_generation=except_generation, through_generation=through_generation
            )
        except IndexMissingError:
            return 0

    def delete_namespace(self, namespace: Namespace) -> int:
        """See `PineconeVectorStore.delete_namespace`."""
        try:
            return super().delete_namespace(namespace)
        except IndexMissingError:
            return 0

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """See `PineconeVectorStore.count`."""
        try:
            return super().count(namespace, document_id)
        except IndexMissingError:
            return 0

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """See `PineconeVectorStore.fetch`."""
        try:
            return super().fetch(namespace, ids)
        except IndexMissingError:
            return {}

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """See `PineconeVectorStore.documents`."""
        try:
            return super().documents(namespace, after=after)
        except IndexMissingError:
            return VectorsPage(frozenset(), None)
