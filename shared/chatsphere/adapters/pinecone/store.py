"""The vector store Pinecone: its Vectors API, thin over REST. How it is kept consistent: decision 0061."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from chatsphere.adapters.pinecone.index import PineconeIndex, is_missing_namespace
from chatsphere.adapters.pinecone.patience import Patience
from chatsphere.adapters.pinecone.reading import PineconeReader, written_position
from chatsphere.adapters.vector_batches import batches, cosine, require_dimensions
from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.observability import logger
from chatsphere.ports import Namespace, Vector, VectorMatch, VectorRecord, VectorsPage
from chatsphere.settings import VectorStoreSettings

MAX_RECORDS: Final = 1_000
MAX_REQUEST_BYTES: Final = 2_000_000
ENVELOPE_BYTES: Final = 500
"""Room for what an upsert holds beside its records: the namespace and some punctuation."""

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
            reply = self._index.call("POST", "/vectors/upsert", {"vectors": batch, "namespace": name})
            if is_missing_namespace(reply):
                # An upsert makes its namespace.
                raise ProviderRejectedError("Pinecone does not take the vectors.")
            position = written_position(reply)
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
        name, patience = _name(namespace), self._patience()
        deleted: set[str] = set()
        position, has_written = None, False
        while True:
            left, found = self._reader.look(name, document_id, except_generation, through_generation)
            if left - deleted or not has_written:
                # Nothing to delete is written as well: a search that has seen this write has seen all before it.
                position = self._delete(name, sorted(left - deleted) or [f"{document_id}:none"])
                deleted |= left
                has_written = True
            elif not left and found.has_seen(position):
                return len(deleted)
            if not patience.pause():
                if not left and found.position is None:
                    # Of a namespace that was emptied Pinecone may tell no position any more: that it showed nothing
                    # for the whole time must do.
                    return len(deleted)
                raise UnavailableError("Pinecone does not show yet that the vectors were deleted.")

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete the bot's namespace, and wait until it shows no vector; return how many there were.

        Raises:
            UnavailableError: some are still shown.
        """
        name, patience = _name(namespace), self._patience()
        count = self._reader.count(name)
        self._index.call("DELETE", f"/namespaces/{name}")
        while self._reader.count(name):
            if not patience.pause():
                raise UnavailableError("Pinecone does not show yet that the namespace was deleted.")
        return count

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors. That there are none is said only where searches and listings agree on it."""
        name = _name(namespace)
        return self._reader.count(name) if document_id is None else len(self._reader.look(name, document_id)[0])

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return which documents the next listed vectors are of, in the order of the vectors' ids."""
        ids, place = self._reader.listed_page(_name(namespace), after)
        try:
            return VectorsPage(frozenset(UUID(vector_id.partition(":")[0]) for vector_id in ids), place)
        except ValueError:
            raise UnavailableError("Pinecone lists vectors that are not of documents.") from None

    def _delete(self, name: str, ids: Sequence[str]) -> int | None:
        position = None
        for start in range(0, len(ids), MAX_RECORDS):
            body = {"namespace": name, "ids": ids[start : start + MAX_RECORDS]}
            position = written_position(self._index.call("POST", "/vectors/delete", body))
        return position

    def _await_visible(self, name: str, record: VectorRecord, position: int | None) -> None:
        """Wait until a search has seen the last write.

        Without a position to compare, the search must find that record. In vain, the caller goes on all the same: the
        write will be seen, and an error would have everything embedded again and again until it is.
        """
        patience = self._patience()
        condition = {"chunk_id": {"$eq": str(record.chunk_id)}}
        while True:
            found = self._reader.search(name, limit=1, vector=record.values, condition=condition)
            if found.matches if position is None else found.has_seen(position):
                return
            if not patience.pause():
                logger.warning("vectors not visible yet", document_id=str(record.document_id))
                return

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
