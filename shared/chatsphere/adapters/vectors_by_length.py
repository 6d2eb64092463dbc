"""One vector store for each length of vectors, where a vendor keeps vectors of one length only in one place."""

from collections.abc import Callable, Collection, Sequence
from threading import Lock
from uuid import UUID

from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage, VectorStore


class VectorsByLength:
    """The `VectorStore` port: passes each call on to the store of the namespace's dimensions.

    `main` holds the vectors of the deployment's own length, `dimensions`; `make_further` makes the store of another.
    """

    def __init__(self, main: VectorStore, dimensions: int, make_further: Callable[[int], VectorStore]) -> None:
        self._stores = {dimensions: main}
        self._default = dimensions
        self._make_further = make_further
        self._lock = Lock()

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """See `VectorStore.upsert`."""
        self._store(namespace).upsert(namespace, records)

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """See `VectorStore.query`."""
        return self._store(namespace).query(namespace, vector, limit=limit, documents=documents)

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """See `VectorStore.delete_document`."""
        return self._store(namespace).delete_document(
            namespace, document_id, except_generation=except_generation, through_generation=through_generation
        )

    def delete_namespace(self, namespace: Namespace) -> int:
        """See `VectorStore.delete_namespace`."""
        return self._store(namespace).delete_namespace(namespace)

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """See `VectorStore.count`."""
        return self._store(namespace).count(namespace, document_id)

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """See `VectorStore.fetch`."""
        return self._store(namespace).fetch(namespace, ids)

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """See `VectorStore.documents`."""
        return self._store(namespace).documents(namespace, after=after)

    def _store(self, namespace: Namespace) -> VectorStore:
        dimensions = namespace.dimensions or self._default
        # Kept, for the connection and its circuit breaker: two threads must not each make one.
        with self._lock:
            if dimensions not in self._stores:
                self._stores[dimensions] = self._make_further(dimensions)
            return self._stores[dimensions]
