"""Vectors of messages in Qdrant, over REST: a collection of their own, in which every point names its tenant."""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any, Final
from uuid import UUID, uuid5

from chatsphere.adapters.qdrant.collection import QdrantCollection
from chatsphere.adapters.qdrant.store import LISTED, MAX_POINTS, MAX_REQUEST_BYTES, POINT_IDS
from chatsphere.adapters.vector_batches import batches, cosine, require_dimensions
from chatsphere.errors import UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.message_vectors import ConversationsPage, MessageFilter, MessageMatch, MessageVector
from chatsphere.ports.vectors import Namespace
from chatsphere.settings import VectorStoreSettings

PAYLOAD_INDEXES: Final[dict[str, Any]] = {
    "namespace": {"type": "keyword", "is_tenant": True},
    "conversation_id": "keyword",
    "message_id": "keyword",
    "end_user_id": "keyword",
    "role": "keyword",
    "timestamp_unix": "float",
}


class QdrantMessageVectors:
    """The `MessageVectors` port: `{qdrant_collection}-memory`, and `…-{dimensions}` for vectors of another length.

    Qdrant answers a write when it is applied: reads see it.
    """

    def __init__(self, settings: VectorStoreSettings) -> None:
        self._settings = settings
        self._collections: dict[int, QdrantCollection] = {}
        self._lock = Lock()

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        """Write the records; makes the collection if there is none."""
        require_dimensions((record.values for record in records), self._dimensions(namespace))
        collection = self._collection(namespace)
        points = (_point(namespace, record) for record in records)
        for batch in batches(points, max_items=MAX_POINTS, max_bytes=MAX_REQUEST_BYTES):
            if not collection.write("PUT", "/points", {"points": batch}):
                collection.ensure()
                if not collection.write("PUT", "/points", {"points": batch}):
                    raise UnavailableError("The Qdrant collection was deleted just after it was made.")

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        """Return the nearest messages."""
        where = where or MessageFilter()
        require_dimensions([vector], self._dimensions(namespace))
        if where.conversations is not None and not where.conversations:
            return []
        body = {
            "query": {"nearest": [float(value) for value in vector]},
            "filter": _matching(namespace, where),
            "limit": limit,
            "with_vector": False,
            "with_payload": ["message_id", "conversation_id"],
        }
        result = self._collection(namespace).read("/points/query", body)
        return [_match(point) for point in result["points"]] if result else []

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        """Delete a conversation's vectors, or those of some messages; return how many there were."""
        condition = _filter(namespace, conversation_id=str(conversation_id))
        if messages is not None:
            condition["must"].append({"key": "message_id", "match": {"any": [str(message) for message in messages]}})
        return self._delete(namespace, condition)

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        """Delete an end user's vectors; return how many there were."""
        return self._delete(namespace, _filter(namespace, end_user_id=end_user_id))

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the memory and return how many there were."""
        return self._delete(namespace, _filter(namespace))

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        """Return the number of vectors of the memory, or of one conversation in it."""
        chosen = {} if conversation_id is None else {"conversation_id": str(conversation_id)}
        return self._count(namespace, _filter(namespace, **chosen))

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        """Return which conversations the next points are of, in the order of the points' ids."""
        body: dict[str, Any] = {"filter": _filter(namespace), "limit": LISTED, "with_payload": ["conversation_id"]}
        result = self._collection(namespace).read("/points/scroll", body | ({"offset": after} if after else {}))
        try:
            points = result["points"] if result else []
            place = result["next_page_offset"] if result else None
            found = frozenset(UUID(point["payload"]["conversation_id"]) for point in points)
        except (KeyError, TypeError, ValueError):
            raise UnavailableError("Qdrant answered in a way that cannot be read.") from None
        return ConversationsPage(found, None if place is None else str(place))

    def _count(self, namespace: Namespace, condition: Mapping[str, Any]) -> int:
        result = self._collection(namespace).read("/points/count", {"filter": condition, "exact": True})
        return int(result["count"]) if result else 0

    def _delete(self, namespace: Namespace, condition: Mapping[str, Any]) -> int:
        # Qdrant does not say how many a filter hit.
        count = self._count(namespace, condition)
        self._collection(namespace).write("POST", "/points/delete", {"filter": condition})
        return count

    def _dimensions(self, namespace: Namespace) -> int:
        return namespace.dimensions or self._settings.vector_dimensions

    def _collection(self, namespace: Namespace) -> QdrantCollection:
        dimensions = self._dimensions(namespace)
        # Kept, for the connection and its circuit breaker: two threads must not each make one.
        with self._lock:
            if dimensions not in self._collections:
                self._collections[dimensions] = self._of_length(dimensions)
            return self._collections[dimensions]

    def _of_length(self, dimensions: int) -> QdrantCollection:
        name = f"{self._settings.qdrant_collection}-memory"
        if dimensions != self._settings.vector_dimensions:
            name += f"-{dimensions}"
        changes = {"qdrant_collection": name, "vector_dimensions": dimensions}
        settings = self._settings.model_copy(update=changes)
        # Messages are many and seldom searched: what they carry beside the vectors need not lie in memory.
        return QdrantCollection(settings, indexes=PAYLOAD_INDEXES, on_disk_payload=True)


def _name(namespace: Namespace) -> str:
    return f"{namespace.organization_id}.{namespace.bot_id}.{namespace.revision}"


def _filter(namespace: Namespace, **equal: str) -> dict[str, list[dict[str, Any]]]:
    conditions = {"namespace": _name(namespace)} | equal
    return {"must": [{"key": key, "match": {"value": value}} for key, value in conditions.items()]}


def _matching(namespace: Namespace, where: MessageFilter) -> dict[str, list[dict[str, Any]]]:
    equal = {"end_user_id": where.end_user_id, "role": where.role}
    condition = _filter(namespace, **{key: value for key, value in equal.items() if value is not None})
    if where.conversations is not None:
        condition["must"].append(_any_of("conversation_id", where.conversations))
    bounds = {"gte": where.since, "lt": where.until}
    times = {name: bound.timestamp() for name, bound in bounds.items() if bound is not None}
    if times:
        condition["must"].append({"key": "timestamp_unix", "range": times})
    if where.exclude:
        condition["must_not"] = [_any_of("message_id", where.exclude)]
    return condition


def _any_of(key: str, ids: Collection[UUID]) -> dict[str, Any]:
    return {"key": key, "match": {"any": [str(each) for each in ids]}}


def _point(namespace: Namespace, record: MessageVector) -> dict[str, Any]:
    end_user = {} if record.end_user_id is None else {"end_user_id": record.end_user_id}
    return {
        # The tenant is part of it: nobody replaces another's point by naming its message.
        "id": str(uuid5(POINT_IDS, f"memory:{_name(namespace)}:{record.message_id}")),
        "vector": [float(value) for value in record.values],
        "payload": {
            "namespace": _name(namespace),
            "organization_id": str(namespace.organization_id),
            "bot_id": str(namespace.bot_id),
            "revision": namespace.revision,
            "conversation_id": str(record.conversation_id),
            "message_id": str(record.message_id),
            "role": record.role,
            "timestamp_unix": record.created_at.timestamp(),
            **end_user,
        },
    }


def _match(point: Mapping[str, Any]) -> MessageMatch:
    try:
        payload = point["payload"]
        return MessageMatch(UUID(payload["message_id"]), UUID(payload["conversation_id"]), cosine(point["score"]))
    except (KeyError, TypeError, ValueError):
        raise UnavailableError("Qdrant answered in a way that cannot be read.") from None
