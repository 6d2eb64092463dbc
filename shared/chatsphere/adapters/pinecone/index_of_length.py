"""A Pinecone index for vectors of one length: the deployment's, or a further one that is made when it is needed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chatsphere.adapters.pinecone.further_index import MAKING_SECONDS
from chatsphere.adapters.pinecone.index import IndexMissingError, PineconeIndex, ensure_index
from chatsphere.adapters.pinecone.reading import Found, PineconeReader
from chatsphere.adapters.pinecone.writing import delete_vectors, upsert_vectors
from chatsphere.ports.embedding import Vector
from chatsphere.settings import VectorStoreSettings

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class IndexOfLength:
    """One index. A further one that is not there counts as empty."""

    settings: VectorStoreSettings
    index: PineconeIndex
    reader: PineconeReader
    is_further: bool

    @classmethod
    def of(cls, settings: VectorStoreSettings, dimensions: int) -> "IndexOfLength":
        """Return the deployment's index, or that of another length."""
        is_further = dimensions != settings.vector_dimensions
        if is_further:
            name = f"{settings.pinecone_index}-{dimensions}"
            changes = {"pinecone_index": name, "pinecone_host": None, "vector_dimensions": dimensions}
            settings = settings.model_copy(update=changes)
        index = PineconeIndex(settings)
        return cls(settings, index, PineconeReader(index, dimensions), is_further)

    def upsert(self, body: Mapping[str, Any]) -> int | None:
        """Write vectors, into an index that is made if need be; return the place in the namespace's log.

        Raises:
            UnavailableError: also where the new index is not ready yet.
        """
        try:
            return upsert_vectors(self.index, body)
        except IndexMissingError:
            if not self.is_further:
                raise
            ensure_index(self.settings, self.settings.vector_dimensions, timeout_seconds=MAKING_SECONDS)
            return upsert_vectors(self.index, body)

    def delete(self, name: str, ids: Sequence[str]) -> int | None:
        """Delete vectors by their ids; return the place in the namespace's log."""
        return self._or(None, lambda: delete_vectors(self.index, name, ids))

    def delete_namespace(self, name: str) -> None:
        """Delete a namespace, if there is one."""
        self._or(None, lambda: self.index.call("DELETE", f"/namespaces/{name}"))

    def search(
        self, name: str, *, limit: int, vector: Vector | None = None, condition: Mapping[str, Any] | None = None
    ) -> Found:
        """See `PineconeReader.search`; with the metadata of each."""
        return self._or(
            Found([], None),
            lambda: self.reader.search(name, limit=limit, vector=vector, condition=condition, with_metadata=True),
        )

    def count(self, name: str) -> int:
        """See `PineconeReader.count`."""
        return self._or(0, lambda: self.reader.count(name))

    def listed(self, name: str, prefix: str) -> set[str]:
        """See `PineconeReader.listed`."""
        return self._or(set(), lambda: self.reader.listed(name, prefix))

    def listed_page(self, name: str, token: str | None) -> tuple[set[str], str | None]:
        """See `PineconeReader.listed_page`."""
        nothing: tuple[set[str], str | None] = set(), None
        return self._or(nothing, lambda: self.reader.listed_page(name, token))

    def _or(self, empty: Read, read: Callable[[], Read]) -> Read:
        """Return what `read` does, or `empty` where the index is one that may be missing, and is."""
        try:
            return read()
        except IndexMissingError:
            if not self.is_further:
                raise
            return empty
