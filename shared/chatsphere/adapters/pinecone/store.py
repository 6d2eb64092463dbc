"""The vector store Pinecone: its Vectors API, thin over REST. How it is kept consistent: decision 0061."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID

from chatsphere.adapters.pinecone.index import PineconeIndex
from chatsphere.adapters.pinecone.patience import Patience
from chatsphere.adapters.pinecone.reading import PineconeReader
from chatsphere.adapters.pinecone.writing import (
    ENVELOPE_BYTES,
    MAX_RECORDS,
    MAX_REQUEST_BYTES,
    await_emptied,
    await_visible,
    delete_until_unseen,
    delete_vectors,
    upsert_vectors,
)
from chatsphere.adapters.vector_batches import batches, cosine, require_dimensions
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage
from chatsphere.settings import VectorStoreSettings

MAX_DOCUMENTS: Final = 1_000
"""Documents in one filter: a long list makes every search slow, and the vendor limits it."""


class PineconeVectorStore:
    """The `VectorStore` port: one Pinecone namespace for each bot.

    Pinecone's reads lag behind its writes. `upsert` returns when a search has seen what was written, or after
    `vector_visible_seconds` with a warning; deletions return when neither a search nor a listing shows what was
    deleted, or raise `UnavailableError` after that time, to be tried again.
    """

    def __init__(
        self,
        settings: VectorStoreSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._index = PineconeIndex(settings)
        self._reader = PineconeReader(self._index, settings.vector_dimensions)
        self._sleep = sleep
        self._monotonic = monotonic

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records, and wait until they can be found.

        Raises:
            ConfigurationError: the vectors are not of the index's dimension.
        """
        if not records:
            return
        require_dimensions((record.values for record in records), self._settings.vector_dimensions)
        name, position = _name(namespace), None
        vectors = (_vector(namespace, record) for record in records)
        for batch in batches(vectors, max_items=MAX_RECORDS, max_bytes=MAX_REQUEST_BYTES - ENVELOPE_BYTES):
            position = upsert_vectors(self._index, {"vectors": batch, "namespace": name})
        self._await_visible(name, records[-1], position)

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return the nearest vectors; a filter of many documents takes several searches.

        Raises:
            ConfigurationError: as `upsert`.
        """
        require_dimensions([vector], self._settings.vector_dimensions)
        conditions: list[dict[str, Any] | None] = [None]
        if documents is not None:
            ids = iter(documents)
            groups = iter(lambda: [str(document) for document in islice(ids, MAX_DOCUMENTS)], [])
            conditions = [{"document_id": {"$in": group}} for group in groups]
        name = _name(namespace)
        found = [
            _match(match)
            for condition in conditions
            for match in self._reader.search(
                name, limit=limit, vector=vector, condition=condition, with_metadata=True
            ).matches
        ]
        return sorted(found, key=lambda match: -match.score)[:limit]

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """Delete a document's vectors, and wait until no search or listing shows one; return how many there were.

        Raises:
            UnavailableError: some are still shown, or a write before this one may still come to light.
        """
        name = _name(namespace)
        return delete_until_unseen(
            lambda: self._reader.look(name, document_id, except_generation, through_generation),
            partial(delete_vectors, self._index, name),
            self._patience(),
        )

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete the bot's namespace, and wait until it shows no vector; return how many there were.

        Raises:
            UnavailableError: some are still shown.
        """
        name = _name(namespace)
        count = self._reader.count(name)
        self._index.call("DELETE", f"/namespaces/{name}")
        await_emptied(lambda: self._reader.count(name), self._patience())
        return count

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors. That there are none is said only where searches and listings agree on it."""
        name = _name(namespace)
        return self._reader.count(name) if document_id is None else len(self._reader.look(name, document_id)[0])

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors that a look by their ids shows."""
        return self._reader.fetched(_name(namespace), ids)

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return which documents the next listed vectors are of, in the order of the vectors' ids."""
        ids, place = self._reader.listed_page(_name(namespace), after)
        try:
            return VectorsPage(frozenset(UUID(vector_id.partition(":")[0]) for vector_id in ids), place)
        except ValueError:
            raise UnavailableError("Pinecone lists vectors that are not of documents.") from None

    def _await_visible(self, name: str, record: VectorRecord, position: int | None) -> None:
        """Wait until a search has seen the last write.

        In vain, the caller goes on all the same: the write will be seen, and an error would have everything embedded
        again and again until it is.
        """
        condition = {"chunk_id": {"$eq": str(record.chunk_id)}}
        search = partial(self._reader.search, name, limit=1, vector=record.values, condition=condition)
        if not await_visible(search, position, self._patience()):
            logger.warning("vectors not visible yet", document_id=str(record.document_id))

    def _patience(self) -> Patience:
        return Patience(self._settings.vector_visible_seconds, sleep=self._sleep, monotonic=self._monotonic)


def _name(namespace: Namespace) -> str:
    """Return the namespace's name: both ids, of fixed length, so that no two namespaces share one, and the revision."""
    bot = f"{namespace.organization_id}.{namespace.bot_id}"
    return f"{bot}.{namespace.revision}" if namespace.revision else bot


def _vector(namespace: Namespace, record: VectorRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "values": [float(value) for value in record.values],
        "metadata": {
            "organization_id": str(namespace.organization_id),
            "bot_id": str(namespace.bot_id),
            "document_id": str(record.document_id),
            "generation": record.generation,
            "chunk_id": str(record.chunk_id),
        },
    }


def _match(match: Mapping[str, Any]) -> VectorMatch:
    try:
        metadata = match["metadata"]
        return VectorMatch(UUID(metadata["chunk_id"]), UUID(metadata["document_id"]), cosine(match["score"]))
    except (KeyError, TypeError, ValueError):
        raise UnavailableError("Pinecone answered in a way that cannot be read.") from None
