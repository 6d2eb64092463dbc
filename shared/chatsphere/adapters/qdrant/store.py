"""The vector store Qdrant, over REST: one collection, in which every point names its tenant. Decision 0061."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from chatsphere.adapters.qdrant.collection import QdrantCollection
from chatsphere.adapters.vector_batches import batches, cosine, require_dimensions
from chatsphere.errors import UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage
from chatsphere.settings import VectorStoreSettings

MAX_POINTS: Final = 500
LISTED: Final = 1_000
FETCHED: Final = 100
"""Vectors that are read at a time: some megabytes of JSON."""
MAX_REQUEST_BYTES: Final = 8_000_000
"""Qdrant takes 32 MB unless it is told otherwise."""

POINT_IDS: Final = UUID("0c2b8a1e-6d4f-5b7a-9c3d-2e1f0a9b8c7d")
"""Under which the ids of points, which must be UUIDs or integers, are derived from ours."""


class QdrantVectorStore:
    """The `VectorStore` port. Qdrant answers a write when it is applied: reads see it."""

    def __init__(self, settings: VectorStoreSettings) -> None:
        self._collection = QdrantCollection(settings)
        self._dimensions = settings.vector_dimensions

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records; makes the collection if there is none.

        Raises:
            ConfigurationError: the vectors are not of the collection's dimension.
        """
        require_dimensions((record.values for record in records), self._dimensions)
        points = (_point(namespace, record) for record in records)
        for batch in batches(points, max_items=MAX_POINTS, max_bytes=MAX_REQUEST_BYTES):
            if not self._write(batch):
                self._collection.ensure()
                if not self._write(batch):
                    raise UnavailableError("The Qdrant collection was deleted just after it was made.")

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return the nearest vectors of the namespace.

        Raises:
            ConfigurationError: as `upsert`.
        """
        require_dimensions([vector], self._dimensions)
        if documents is not None and not documents:
            return []
        condition = _filter(namespace)
        if documents is not None:
            condition["must"].append(
                {"key": "document_id", "match": {"any": [str(document) for document in documents]}}
            )
        body = {
            "query": {"nearest": [float(value) for value in vector]},
            "filter": condition,
            "limit": limit,
            "with_vector": False,
            "with_payload": ["chunk_id", "document_id"],
        }
        result = self._collection.read("/points/query", body)
        return [_match(point) for point in result["points"]] if result else []

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """Delete a document's vectors of the generations that are meant; return how many there were."""
        condition = _filter(namespace, document_id)
        if through_generation is not None:
            condition["must"].append({"key": "generation", "range": {"lte": through_generation}})
        if except_generation is not None:
            condition["must_not"] = [{"key": "generation", "match": {"value": except_generation}}]
        return self._delete(condition)

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the bot and return how many there were."""
        return self._delete(_filter(namespace))

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors of the bot, or of one document in it."""
        return self._count(_filter(namespace, document_id))

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """Return vectors by their ids; their namespace is part of their points' own."""
        found: dict[str, Vector] = {}
        for start in range(0, len(ids), FETCHED):
            by_point = {_point_id(namespace, vector_id): vector_id for vector_id in ids[start : start + FETCHED]}
            body = {"ids": list(by_point), "with_vector": True, "with_payload": False}
            try:
                for point in self._collection.read("/points", body) or []:
                    found[by_point[str(point["id"])]] = [float(value) for value in point["vector"]]
            except (KeyError, TypeError, ValueError):
                raise UnavailableError("Qdrant answered in a way that cannot be read.") from None
        return found

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return which documents the next points are of, in the order of the points' ids."""
        body: dict[str, Any] = {"filter": _filter(namespace), "limit": LISTED, "with_payload": ["document_id"]}
        result = self._collection.read("/points/scroll", body | ({"offset": after} if after else {}))
        try:
            points = result["points"] if result else []
            place = result["next_page_offset"] if result else None
            return VectorsPage(
                frozenset(UUID(point["payload"]["document_id"]) for point in points),
                None if place is None else str(place),
            )
        except (KeyError, TypeError, ValueError):
            raise UnavailableError("Qdrant answered in a way that cannot be read.") from None

    def _write(self, points: Sequence[Mapping[str, Any]]) -> bool:
        return self._collection.write("PUT", "/points", {"points": points})

    def _count(self, condition: Mapping[str, Any]) -> int:
        result = self._collection.read("/points/count", {"filter": condition, "exact": True})
        return int(result["count"]) if result else 0

    def _delete(self, condition: Mapping[str, Any]) -> int:
        # Qdrant does not say how many a filter hit.
        count = self._count(condition)
        self._collection.write("POST", "/points/delete", {"filter": condition})
        return count


class FurtherQdrantCollection(QdrantVectorStore):
    """`{qdrant_collection}-{dimensions}`, for vectors that the deployment's collection is not made for."""

    def __init__(self, settings: VectorStoreSettings, dimensions: int) -> None:
        name = f"{settings.qdrant_collection}-{dimensions}"
        super().__init__(settings.model_copy(update={"qdrant_collection": name, "vector_dimensions": dimensions}))


def _name(namespace: Namespace) -> str:
    bot = f"{namespace.organization_id}.{namespace.bot_id}"
    return f"{bot}.{namespace.revision}" if namespace.revision else bot


def _filter(namespace: Namespace, document_id: UUID | None = None) -> dict[str, list[dict[str, Any]]]:
    must: list[dict[str, Any]] = [{"key": "namespace", "match": {"value": _name(namespace)}}]
    if document_id is not None:
        must.append({"key": "document_id", "match": {"value": str(document_id)}})
    return {"must": must}


def _point(namespace: Namespace, record: VectorRecord) -> dict[str, Any]:
    return {
        # The tenant is part of it: nobody replaces another's point by naming its document.
        "id": _point_id(namespace, record.id),
        "vector": [float(value) for value in record.values],
        "payload": {
            "namespace": _name(namespace),
            "organization_id": str(namespace.organization_id),
            "bot_id": str(namespace.bot_id),
            "revision": namespace.revision,
            "document_id": str(record.document_id),
            "generation": record.generation,
            "chunk_id": str(record.chunk_id),
        },
    }


def _point_id(namespace: Namespace, vector_id: str) -> str:
    return str(uuid5(POINT_IDS, f"{_name(namespace)}:{vector_id}"))


def _match(point: Mapping[str, Any]) -> VectorMatch:
    try:
        payload = point["payload"]
        return VectorMatch(UUID(payload["chunk_id"]), UUID(payload["document_id"]), cosine(point["score"]))
    except (KeyError, TypeError, ValueError):
        raise UnavailableError("Qdrant answered in a way that cannot be read.") from None
