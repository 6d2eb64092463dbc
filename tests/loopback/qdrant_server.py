"""Qdrant's REST API on a loopback port, in front of the vendor's own in-memory mode: the semantics are its own."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models

from chatsphere.settings import VectorStoreSettings
from tests.loopback.scripted_http import Answer, LoopbackServer, Request, serving

API_KEY = "test-only-qdrant-key"

_OVERLOADED = Answer(429, {"status": {"error": "Rate limit exceeded"}, "time": 0.0}, {"Retry-After": "0"})
_UNAVAILABLE = Answer(503, {"status": {"error": "Service unavailable"}, "time": 0.0})


@contextmanager
def running_qdrant() -> Iterator[LoopbackServer]:
    """Run an empty Qdrant until the block ends."""
    with warnings.catch_warnings():
        # In memory there are no payload indexes: everything is compared.
        warnings.filterwarnings("ignore", message="Payload indexes have no effect")
        local = QdrantClient(":memory:")
        with serving(_Front(local).answer, _OVERLOADED, _UNAVAILABLE) as server:
            yield server
        local.close()


class _Front:
    """Turns requests into calls of the local client, as strict about fields as the vendor's models are."""

    def __init__(self, local: QdrantClient) -> None:
        self._local = local
        self._routes: list[tuple[str, str, Callable[[str, Request], Any]]] = [
            ("GET", r"/collections/([^/]+)", self._describe),
            ("PUT", r"/collections/([^/]+)", self._create),
            ("PUT", r"/collections/([^/]+)/index", self._index),
            ("PUT", r"/collections/([^/]+)/points", self._upsert),
            ("POST", r"/collections/([^/]+)/points", self._retrieve),
            ("POST", r"/collections/([^/]+)/points/query", self._query),
            ("POST", r"/collections/([^/]+)/points/count", self._count),
            ("POST", r"/collections/([^/]+)/points/scroll", self._scroll),
            ("POST", r"/collections/([^/]+)/points/delete", self._delete),
        ]
        self.indexes: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request) -> Answer:
        if request.headers.get("api-key") != API_KEY:
            return Answer(401, "Must provide an API key or an Authorization bearer token")
        for method, pattern, operation in self._routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return self._carried_out(match[1], request, operation)
        return Answer(404, None)

    def _carried_out(self, name: str, request: Request, operation: Callable[[str, Request], Any]) -> Answer:
        if operation != self._create and not self._local.collection_exists(name):
            return _error(404, f"Not found: Collection `{name}` doesn't exist!")
        if operation == self._create and self._local.collection_exists(name):
            return _error(409, f"Wrong input: Collection `{name}` already exists!")
        try:
            result = operation(name, request)
        except ValidationError as error:
            return _error(400, f"Format error in JSON body: {error.error_count()} fields")
        except ValueError as error:
            return _error(400, f"Wrong input: {error}")
        return Answer(200, {"result": result, "status": "ok", "time": 0.0})

    def _describe(self, name: str, _request: Request) -> Any:
        described = self._local.get_collection(name).model_dump(mode="json")
        return described | {"payload_schema": self.indexes.get(name, {})}

    def _create(self, name: str, request: Request) -> Any:
        wanted = models.CreateCollection.model_validate(request.body)
        assert isinstance(wanted.vectors, models.VectorParams)
        self._local.create_collection(name, vectors_config=wanted.vectors)
        return True

    def _index(self, name: str, request: Request) -> Any:
        wanted = models.CreateFieldIndex.model_validate(request.body)
        schema = wanted.field_schema
        kind = schema if isinstance(schema, models.PayloadSchemaType) else getattr(schema, "type", None)
        described = {"data_type": getattr(kind, "value", kind), "points": 0}
        if not isinstance(schema, models.PayloadSchemaType) and schema is not None:
            described["params"] = schema.model_dump(mode="json", exclude_none=True)
        self.indexes.setdefault(name, {})[wanted.field_name] = described
        return _done(self._local.create_payload_index(name, wanted.field_name, wanted.field_schema))

    def _upsert(self, name: str, request: Request) -> Any:
        points = models.PointsList.model_validate(request.body).points
        info = self._local.get_collection(name).config.params.vectors
        assert isinstance(info, models.VectorParams)
        for point in points:
            if not isinstance(point.vector, list) or len(point.vector) != info.size:
                raise ValueError(f"Vector dimension error: expected dim: {info.size}")
        return _done(self._local.upsert(name, points))

    def _query(self, name: str, request: Request) -> Any:
        wanted = models.QueryRequest.model_validate(request.body)
        found = self._local.query_points(
            name,
            query=wanted.query,
            query_filter=wanted.filter,
            limit=wanted.limit or 10,
            with_payload=False if wanted.with_payload is None else wanted.with_payload,
        )
        return found.model_dump(mode="json")

    def _retrieve(self, name: str, request: Request) -> Any:
        wanted = models.PointRequest.model_validate(request.body)
        found = self._local.retrieve(
            name, wanted.ids, with_payload=bool(wanted.with_payload), with_vectors=bool(wanted.with_vector)
        )
        return [point.model_dump(mode="json") for point in found]

    def _count(self, name: str, request: Request) -> Any:
        wanted = models.CountRequest.model_validate(request.body)
        return self._local.count(name, count_filter=wanted.filter, exact=True).model_dump(mode="json")

    def _scroll(self, name: str, request: Request) -> Any:
        wanted = models.ScrollRequest.model_validate(request.body)
        points, place = self._local.scroll(
            name,
            scroll_filter=wanted.filter,
            limit=wanted.limit or 10,
            offset=wanted.offset,
            with_payload=False if wanted.with_payload is None else wanted.with_payload,
        )
        return {"points": [point.model_dump(mode="json") for point in points], "next_page_offset": place}

    def _delete(self, name: str, request: Request) -> Any:
        selector: Any = TypeAdapter(models.PointsSelector).validate_python(request.body)
        return _done(self._local.delete(name, selector))


def _done(result: models.UpdateResult) -> Any:
    return result.model_dump(mode="json")


def _error(status: int, text: str) -> Answer:
    return Answer(status, {"status": {"error": text}, "time": 0.0})


def qdrant_settings(qdrant: LoopbackServer, dimensions: int, **changes: Any) -> VectorStoreSettings:
    """Return settings that reach the server, impatient enough for tests."""
    impatient = {"provider_backoff_seconds": 0.001, "provider_read_seconds": 5.0, "provider_total_seconds": 10.0}
    return VectorStoreSettings(
        vector_store="qdrant",
        qdrant_url=qdrant.url,
        qdrant_api_key=API_KEY,
        vector_dimensions=dimensions,
        **{**impatient, **changes},
    )
