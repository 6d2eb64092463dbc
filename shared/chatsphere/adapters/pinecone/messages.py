"""Vectors of messages in Pinecone: a namespace for each bot's memory, beside the namespaces of documents.

How it is kept consistent: decision 0061. Ids are `conversation:message`, so that a conversation's can be listed.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any
from uuid import UUID

from chatsphere.adapters.pinecone.index_of_length import IndexOfLength
from chatsphere.adapters.pinecone.patience import Patience
from chatsphere.adapters.pinecone.reading import MAX_TOP_K, Found
from chatsphere.adapters.pinecone.writing import (
    ENVELOPE_BYTES,
    MAX_RECORDS,
    MAX_REQUEST_BYTES,
    Look,
    await_emptied,
    await_visible,
    delete_until_unseen,
)
from chatsphere.adapters.vector_batches import batches, cosine, require_dimensions
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.embedding import Vector
from chatsphere.ports.message_vectors import ConversationsPage, MessageFilter, MessageMatch, MessageVector
from chatsphere.ports.vectors import Namespace
from chatsphere.settings import VectorStoreSettings


class PineconeMessageVectors:
    """The `MessageVectors` port. Reads lag behind writes; what waits for them is as in `PineconeVectorStore`.

    Vectors of another length than the deployment's go to the index `{pinecone_index}-{dimensions}`, which is made when
    the first ones come; until then it counts as empty.
    """

    def __init__(
        self,
        settings: VectorStoreSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._monotonic = monotonic
        self._indexes: dict[int, IndexOfLength] = {}
        self._lock = Lock()

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        """Write the records, and wait until they can be found.

        Raises:
            ConfigurationError: the vectors are not of the namespace's length.
            UnavailableError: also where an index that had to be made is not ready yet.
        """
        if not records:
            return
        index, name, position = self._index(namespace), _name(namespace), None
        require_dimensions((record.values for record in records), index.settings.vector_dimensions)
        vectors = (_vector(namespace, record) for record in records)
        for batch in batches(vectors, max_items=MAX_RECORDS, max_bytes=MAX_REQUEST_BYTES - ENVELOPE_BYTES):
            position = index.upsert({"vectors": batch, "namespace": name})
        self._await_visible(index, name, records[-1], position)

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        """Return the nearest messages."""
        where = where or MessageFilter()
        index = self._index(namespace)
        require_dimensions([vector], index.settings.vector_dimensions)
        if where.conversations is not None and not where.conversations:
            return []
        found = index.search(_name(namespace), limit=limit, vector=vector, condition=_condition(where))
        return [_match(match) for match in found.matches]

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        """Delete a conversation's vectors, or those of some messages, and wait until nothing shows one."""
        index, name = self._index(namespace), _name(namespace)
        wanted = None if messages is None else {f"{conversation_id}:{message}" for message in messages}
        condition = {"conversation_id": {"$eq": str(conversation_id)}}

        def look() -> tuple[set[str], Found]:
            found = index.search(name, limit=MAX_TOP_K, condition=condition)
            ids = {str(match["id"]) for match in found.matches} | index.listed(name, f"{conversation_id}:")
            return ids if wanted is None else ids & wanted, found

        return self._delete(index, name, look)

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        """Delete an end user's vectors, and wait until no search shows one."""
        index, name = self._index(namespace), _name(namespace)

        def look() -> tuple[set[str], Found]:
            found = index.search(name, limit=MAX_TOP_K, condition={"end_user_id": {"$eq": end_user_id}})
            return {str(match["id"]) for match in found.matches}, found

        return self._delete(index, name, look)

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete the memory's namespace, and wait until it shows no vector; return how many there were."""
        index, name = self._index(namespace), _name(namespace)
        count = index.count(name)
        index.delete_namespace(name)
        await_emptied(lambda: index.count(name), self._patience())
        return count

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        """Return the number of vectors of the memory, or of one conversation in it."""
        index, name = self._index(namespace), _name(namespace)
        if conversation_id is None:
            return index.count(name)
        found = index.search(name, limit=MAX_TOP_K, condition={"conversation_id": {"$eq": str(conversation_id)}})
        return len({str(match["id"]) for match in found.matches} | index.listed(name, f"{conversation_id}:"))

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        """Return which conversations the next listed vectors are of, in the order of the vectors' ids."""
        ids, place = self._index(namespace).listed_page(_name(namespace), after)
        try:
            return ConversationsPage(frozenset(UUID(vector_id.partition(":")[0]) for vector_id in ids), place)
        except ValueError:
            raise UnavailableError("Pinecone lists vectors that are not of messages.") from None

    def _delete(self, index: IndexOfLength, name: str, look: Look) -> int:
        return delete_until_unseen(look, partial(index.delete, name), self._patience())

    def _await_visible(self, index: IndexOfLength, name: str, record: MessageVector, position: int | None) -> None:
        """Wait until a search has seen the last write; in vain, go on all the same: it will be seen."""
        condition = {"message_id": {"$eq": str(record.message_id)}}
        search = partial(index.search, name, limit=1, vector=record.values, condition=condition)
        if not await_visible(search, position, self._patience()):
            logger.warning("vectors not visible yet", message_id=str(record.message_id))

    def _patience(self) -> Patience:
        return Patience(self._settings.vector_visible_seconds, sleep=self._sleep, monotonic=self._monotonic)

    def _index(self, namespace: Namespace) -> IndexOfLength:
        dimensions = namespace.dimensions or self._settings.vector_dimensions
        # Kept, for the connection and its circuit breaker: two threads must not each make one.
        with self._lock:
            if dimensions not in self._indexes:
                self._indexes[dimensions] = IndexOfLength.of(self._settings, dimensions)
            return self._indexes[dimensions]


def _name(namespace: Namespace) -> str:
    return f"memory.{namespace.organization_id}.{namespace.bot_id}.{namespace.revision}"


def _vector(namespace: Namespace, record: MessageVector) -> dict[str, Any]:
    end_user = {} if record.end_user_id is None else {"end_user_id": record.end_user_id}
    return {
        "id": f"{record.conversation_id}:{record.message_id}",
        "values": [float(value) for value in record.values],
        "metadata": {
            "organization_id": str(namespace.organization_id),
            "bot_id": str(namespace.bot_id),
            "conversation_id": str(record.conversation_id),
            "message_id": str(record.message_id),
            "role": record.role,
            "timestamp_unix": record.created_at.timestamp(),
            **end_user,
        },
    }


def _condition(where: MessageFilter) -> dict[str, Any] | None:
    condition: dict[str, Any] = {}
    if where.conversations is not None:
        condition["conversation_id"] = {"$in": [str(each) for each in where.conversations]}
    if where.end_user_id is not None:
        condition["end_user_id"] = {"$eq": where.end_user_id}
    if where.role is not None:
        condition["role"] = {"$eq": where.role}
    bounds = {"$gte": where.since, "$lt": where.until}
    times = {name: bound.timestamp() for name, bound in bounds.items() if bound is not None}
    if times:
        condition["timestamp_unix"] = times
    if where.exclude:
        condition["message_id"] = {"$nin": [str(each) for each in where.exclude]}
    return condition or None


def _match(match: Mapping[str, Any]) -> MessageMatch:
    try:
        metadata = match["metadata"]
        return MessageMatch(UUID(metadata["message_id"]), UUID(metadata["conversation_id"]), cosine(match["score"]))
    except (KeyError, TypeError, ValueError):
        raise UnavailableError("Pinecone answered in a way that cannot be read.") from None
