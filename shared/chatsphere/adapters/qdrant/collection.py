"""The Qdrant collection that holds every tenant's vectors: calling it, and making it."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from chatsphere.adapters.upstream import QUESTION_SECONDS, Reply, Upstream
from chatsphere.errors import ConfigurationError, ProviderRejectedError, UnavailableError
from chatsphere.settings import VectorStoreSettings

NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_BAD_REQUEST: Final = 400
_DISTANCE: Final = "Cosine"

PAYLOAD_INDEXES: Final[dict[str, Any]] = {
    "namespace": {"type": "keyword", "is_tenant": True},
    "document_id": "keyword",
    "generation": "integer",
}


class QdrantCollection:
    """Calls the collection `qdrant_collection`, and makes it when the first vectors come and there is none."""

    def __init__(
        self,
        settings: VectorStoreSettings,
        *,
        indexes: Mapping[str, Any] = PAYLOAD_INDEXES,
        on_disk_payload: bool | None = None,
    ) -> None:
        if settings.qdrant_url is None:
            raise ConfigurationError("QDRANT_URL is not set.")
        headers = {"api-key": settings.qdrant_api_key} if settings.qdrant_api_key else {}
        self._upstream = Upstream("Qdrant", settings.qdrant_url, headers, settings)
        self._path = f"/collections/{quote(settings.qdrant_collection, safe='')}"
        self._dimensions = settings.vector_dimensions
        self._indexes = indexes
        self._payload = {} if on_disk_payload is None else {"on_disk_payload": on_disk_payload}

    def read(self, path: str, body: object) -> Any:
        """Return the result of a search or a count; None where there is no collection."""
        reply = self._call("POST", path, body, within_seconds=QUESTION_SECONDS)
        return None if reply.status == NOT_FOUND else _result(reply)

    def write(self, method: str, path: str, body: object) -> bool:
        """Write, and return once it is applied; False where there is no collection."""
        return self._call(method, f"{path}?wait=true", body).status != NOT_FOUND

    def ensure(self) -> None:
        """Make the collection and its payload indexes, whichever is missing. Again, or at the same time, is harmless.

        Raises:
            ConfigurationError: it exists, for vectors of another dimension.
        """
        reply = self._upstream.call("GET", self._path, accepted=(NOT_FOUND,))
        if reply.status == NOT_FOUND:
            # Answered with 409 where another process was faster, with 400 by older servers.
            self._upstream.call("PUT", self._path, self._creation(), accepted=(_CONFLICT, _BAD_REQUEST))
            reply = self._upstream.call("GET", self._path)
        self._require_dimensions(reply)
        for field, schema in self._indexes.items():
            body = {"field_name": field, "field_schema": schema}
            self._upstream.call("PUT", f"{self._path}/index?wait=true", body)

    def _creation(self) -> dict[str, Any]:
        return {
            "vectors": {"size": self._dimensions, "distance": _DISTANCE},
            # Every search names its tenant: a graph for each of them, and none across all.
            "hnsw_config": {"m": 0, "payload_m": 16},
            **self._payload,
        }

    def _call(self, method: str, path: str, body: object, *, within_seconds: float | None = None) -> Reply:
        try:
            reply = self._upstream.call(
                method, self._path + path, body, accepted=(NOT_FOUND,), within_seconds=within_seconds
            )
        except ProviderRejectedError:
            described = self._upstream.call("GET", self._path, accepted=(NOT_FOUND,))
            if described.status != NOT_FOUND:
                self._require_dimensions(described)
            raise
        if reply.status == NOT_FOUND and not (isinstance(reply.body, dict) and "status" in reply.body):
            # Something else answers at that address: that must not pass for a missing collection.
            raise ProviderRejectedError("Qdrant is not where QDRANT_URL says.")
        return reply

    def _require_dimensions(self, reply: Reply) -> None:
        try:
            vectors = _result(reply)["config"]["params"]["vectors"]
            size, distance = vectors.get("size"), vectors.get("distance")
        except (KeyError, TypeError, AttributeError):
            raise _unreadable() from None
        if (size, distance) != (self._dimensions, _DISTANCE):
            raise ConfigurationError(
                f"VECTOR_DIMENSIONS: the Qdrant collection is for {distance} of {size} numbers, "
                f"not for {_DISTANCE} of {self._dimensions}."
            )


def ensure_collection(settings: VectorStoreSettings) -> None:
    """Make the collection if there is none; see `QdrantCollection.ensure`."""
    QdrantCollection(settings).ensure()


def _result(reply: Reply) -> Any:
    if not isinstance(reply.body, dict) or "result" not in reply.body:
        raise _unreadable()
    return reply.body["result"]


def _unreadable() -> UnavailableError:
    return UnavailableError("Qdrant answered in a way that cannot be read.")
