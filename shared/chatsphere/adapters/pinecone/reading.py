"""Reading one Pinecone index: searches, lists and counts, and how far behind the last write they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from chatsphere.adapters.pinecone.index import PineconeIndex, is_missing_namespace
from chatsphere.adapters.upstream import QUESTION_SECONDS, Reply
from chatsphere.errors import UnavailableError
from chatsphere.ports.embedding import Vector

MAX_TOP_K: Final = 10_000
_PAGE: Final = 100
_FETCHED: Final = 50
"""Ids of one look at vectors: they stand in the address."""

_READ_POSITION_HEADERS: Final = ("x-pinecone-max-indexed-lsn", "x-pinecone-lsn-reconciled")
_WRITE_POSITION_HEADERS: Final = ("x-pinecone-request-lsn", "x-pinecone-lsn-committed")


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `position` is how far into the namespace's log it saw; None where Pinecone does not say."""

    matches: Sequence[Mapping[str, Any]]
    position: int | None

    def has_seen(self, written: int | None) -> bool:
        """Return whether the search saw the write at that position; None is a write that Pinecone gave none."""
        return written is None or (self.position is not None and self.position >= written)


def written_position(reply: Reply) -> int | None:
    """Return the place in the namespace's log (log sequence number) that a write was given."""
    return _position(reply, _WRITE_POSITION_HEADERS)


class PineconeReader:
    """Reads a namespace of the index. One that does not exist is empty."""

    def __init__(self, index: PineconeIndex, dimensions: int) -> None:
        self._index = index
        # Where only the filter matters: any direction will do, but it must have one.
        self._any_vector = [1.0] + [0.0] * (dimensions - 1)

    def search(
        self,
        namespace: str,
        *,
        limit: int,
        vector: Vector | None = None,
        condition: Mapping[str, Any] | None = None,
        with_metadata: bool = False,
    ) -> Found:
        """Return the nearest records, best first: id, score and, if wanted, metadata of each."""
        body: dict[str, Any] = {
            "topK": min(limit, MAX_TOP_K),
            "includeValues": False,
            "includeMetadata": with_metadata,
            "namespace": namespace,
            "vector": self._any_vector if vector is None else [float(value) for value in vector],
        }
        if condition is not None:
            body["filter"] = condition
        reply = self._index.call("POST", "/query", body, within_seconds=QUESTION_SECONDS)
        matches = [] if is_missing_namespace(reply) else _member(reply.body, "matches")
        return Found(matches, _position(reply, _READ_POSITION_HEADERS))

    def look(
        self,
        namespace: str,
        document_id: UUID,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> tuple[set[str], Found]:
        """Return the ids of a document's vectors that a listing or a search shows, and that search.

        Either may lag behind on its own, and the search shows `MAX_TOP_K` ids at most.
        """
        bounds = {"$ne": except_generation, "$lte": through_generation}
        generation = {name: bound for name, bound in bounds.items() if bound is not None}
        condition = {"document_id": {"$eq": str(document_id)}} | ({"generation": generation} if generation else {})
        found = self.search(namespace, limit=MAX_TOP_K, condition=condition)
        listed = {
            vector_id
            for vector_id in self.listed(namespace, f"{document_id}:")
            if (of := _generation(vector_id)) != except_generation
            and (through_generation is None or of <= through_generation)
        }
        return {str(match["id"]) for match in found.matches} | listed, found

    def count(self, namespace: str) -> int:
        """Return how many vectors the namespace has by its description or by a search, whichever is more."""
        reply = self._index.call("GET", f"/namespaces/{namespace}")
        described = 0 if is_missing_namespace(reply) else int(_member(reply.body, "record_count", 0))
        if described >= MAX_TOP_K:
            return described
        return max(described, len(self.search(namespace, limit=MAX_TOP_K).matches))

    def listed_page(self, namespace: str, token: str | None, prefix: str = "") -> tuple[set[str], str | None]:
        """Return ids that one page of a listing shows, and the token of the next page; None after the last."""
        query = {"namespace": namespace, "limit": str(_PAGE)} | ({"prefix": prefix} if prefix else {})
        reply = self._index.call(
            "GET", f"/vectors/list?{urlencode(query | ({'paginationToken': token} if token else {}))}"
        )
        if is_missing_namespace(reply):
            return set(), None
        # A page may be shorter than asked for and yet not the last.
        following = (_member(reply.body, "pagination", None) or {}).get("next") or None
        if following is not None and following == token:
            raise UnavailableError("Pinecone's list does not go on.")
        return {str(vector["id"]) for vector in _member(reply.body, "vectors", [])}, following

    def listed(self, namespace: str, prefix: str) -> set[str]:
        """Return the ids with this beginning that a listing shows."""
        ids, token = self.listed_page(namespace, None, prefix)
        while token:
            more, token = self.listed_page(namespace, token, prefix)
            ids |= more
        return ids

    def fetched(self, namespace: str, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the values of the vectors with these ids, of those that there are."""
        found: dict[str, Vector] = {}
        for start in range(0, len(ids), _FETCHED):
            query = [("namespace", namespace), *(("ids", each) for each in ids[start : start + _FETCHED])]
            reply = self._index.call("GET", f"/vectors/fetch?{urlencode(query)}")
            if is_missing_namespace(reply):
                return {}
            try:
                for vector_id, vector in _member(reply.body, "vectors", {}).items():
                    found[vector_id] = [float(value) for value in vector["values"]]
            except (AttributeError, KeyError, TypeError, ValueError):
                raise UnavailableError("Pinecone answered in a way that cannot be read.") from None
        return found


def _generation(vector_id: str) -> int:
    """Return the middle of `document:generation:ordinal`."""
    try:
        return int(vector_id.split(":")[1])
    except (IndexError, ValueError):
        raise UnavailableError("Pinecone lists vectors that are not of documents.") from None


_REQUIRED: Final = object()


def _member(body: Any, name: str, default: Any = _REQUIRED) -> Any:
    """Return a member of a vendor's answer."""
    if not isinstance(body, dict) or (default is _REQUIRED and name not in body):
        raise UnavailableError("Pinecone answered in a way that cannot be read.")
    return body.get(name, default)


def _position(reply: Reply, headers: Sequence[str]) -> int | None:
    return next((int(reply.headers[name]) for name in headers if reply.headers.get(name, "").isdecimal()), None)
