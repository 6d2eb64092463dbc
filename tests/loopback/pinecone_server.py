"""Pinecone's control plane and Vectors API (2026-07) on a loopback port, as strict as the service.

Bodies and limits follow the vendor's OpenAPI documents; the wording of its messages is not part of any contract.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.settings import VectorStoreSettings
from tests.loopback.pinecone_data_plane import RefusedError, VectorIndex, refusal
from tests.loopback.pinecone_state import Staleness
from tests.loopback.scripted_http import Answer, Faults, Request, serving

API_KEY = "test-only-pinecone-key"
API_VERSION = "2026-07"

_HOSTS = "/hosts/"
"""Before the name of an index, where the service has a host for each."""

_OVERLOADED = Answer(429, {"code": 8, "message": "Too many requests.", "details": []}, {"Retry-After": "0"})
_UNAVAILABLE = Answer(503, {"code": 14, "message": "Service unavailable.", "details": []})


@dataclass
class PineconeServer:
    """A running Pinecone with any number of indexes, all behind one address: of the second one on with a path.

    `initializing` is how often a new index is described before it is ready.
    """

    url: str
    faults: Faults
    requests: list[Request]
    staleness: Staleness
    initializing: int = 0
    indexes: dict[str, "_Index"] = field(default_factory=dict)

    def create_index(self, name: str, dimension: int, metric: str = "cosine") -> None:
        """Make an index that is ready."""
        self.indexes[name] = _Index(name, VectorIndex(dimension, self.staleness), metric, 0)


@dataclass
class _Index:
    name: str
    data: VectorIndex
    metric: str
    initializing: int


@contextmanager
def running_pinecone(staleness: Staleness | None = None) -> Iterator[PineconeServer]:
    """Run a Pinecone without indexes until the block ends."""
    pinecone: PineconeServer

    def answer(request: Request) -> Answer:
        return _answer(pinecone, request)

    with serving(answer, _OVERLOADED, _UNAVAILABLE) as http:
        pinecone = PineconeServer(http.url, http.faults, http.requests, staleness or Staleness())
        yield pinecone


def _answer(pinecone: PineconeServer, request: Request) -> Answer:
    is_control = request.path.startswith("/indexes")
    if request.headers.get("api-key") != API_KEY:
        return _control_error(401, "UNAUTHENTICATED", "Invalid API key.") if is_control else Answer(401, "Unauthorized")
    if request.headers.get("x-pinecone-api-version") != API_VERSION:
        return refusal(3, "an API version that this server speaks is required")
    if is_control:
        return _control(pinecone, request)
    index, request = _addressed(pinecone, request)
    if index is None:
        return Answer(404, None)
    try:
        return index.data.answer(request)
    except RefusedError as error:
        return refusal(3, str(error))


def _addressed(pinecone: PineconeServer, request: Request) -> tuple["_Index | None", Request]:
    """Return the index whose host the request names, and the request as the index sees it."""
    if request.path.startswith(_HOSTS):
        name, _, path = request.path.removeprefix(_HOSTS).partition("/")
        return pinecone.indexes.get(name), replace(request, path=f"/{path}")
    return next(iter(pinecone.indexes.values()), None), request


def _control(pinecone: PineconeServer, request: Request) -> Answer:
    name = request.path.removeprefix("/indexes").strip("/")
    if request.method == "POST" and not name:
        return _create(pinecone, request.body)
    if request.method == "GET" and not name:
        return Answer(200, {"indexes": [_describe(pinecone, index) for index in pinecone.indexes.values()]})
    index = pinecone.indexes.get(name)
    if index is None:
        return _control_error(404, "NOT_FOUND", f"Resource {name} not found")
    if request.method == "DELETE":
        del pinecone.indexes[name]
        return Answer(202, None)
    if request.method != "GET":
        return _control_error(405, "INVALID_ARGUMENT", "Method not allowed")
    described = _describe(pinecone, index)
    index.initializing = max(0, index.initializing - 1)
    return Answer(200, described)


def _create(pinecone: PineconeServer, body: Any) -> Answer:
    name = body.get("name", "")
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,43}[a-z0-9])?", name):
        return _control_error(400, "INVALID_ARGUMENT", "Name must consist of lower case alphanumeric characters or '-'")
    if name in pinecone.indexes:
        return _control_error(409, "ALREADY_EXISTS", "Resource  already exists")
    deployment, fields = body.get("deployment", {}), body.get("schema", {}).get("fields", {})
    vector = fields.get("_values", {})
    if set(fields) != {"_values"} or vector.get("type") != "dense_vector":
        return _control_error(400, "INVALID_ARGUMENT", "this server makes indexes of dense vectors only")
    if not 1 <= vector.get("dimension", 0) <= 20_000 or vector.get("metric") not in ("cosine", "dotproduct"):
        return _control_error(422, "UNPROCESSABLE_ENTITY", "invalid dimension or metric")
    if deployment.get("deployment_type") != "managed" or not deployment.get("cloud") or not deployment.get("region"):
        return _control_error(422, "UNPROCESSABLE_ENTITY", "invalid deployment")
    data = VectorIndex(vector["dimension"], pinecone.staleness)
    index = pinecone.indexes[name] = _Index(name, data, vector["metric"], pinecone.initializing)
    return Answer(201, _describe(pinecone, index))


def _host(pinecone: PineconeServer, index: "_Index") -> str:
    is_first = next(iter(pinecone.indexes.values())) is index
    return pinecone.url if is_first else f"{pinecone.url}{_HOSTS}{index.name}"


def _describe(pinecone: PineconeServer, index: _Index) -> dict[str, Any]:
    ready = index.initializing == 0
    dense = {"type": "dense_vector", "dimension": index.data.dimension, "metric": index.metric, "description": None}
    return {
        "name": index.name,
        "host": _host(pinecone, index) if ready else None,
        "status": {"ready": ready, "state": "Ready" if ready else "Initializing"},
        "schema": {"fields": {"_values": dense}},
        "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
        "deletion_protection": "disabled",
        "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        "tags": None,
    }


def _control_error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}, "status": status})


def pinecone_settings(pinecone: PineconeServer, dimensions: int, **changes: Any) -> VectorStoreSettings:
    """Return settings that reach the server, impatient enough for tests."""
    impatient = {"provider_backoff_seconds": 0.001, "provider_read_seconds": 5.0, "provider_total_seconds": 10.0}
    return VectorStoreSettings(
        vector_store="pinecone",
        pinecone_api_key=API_KEY,
        pinecone_control_url=pinecone.url,
        vector_dimensions=dimensions,
        **{**impatient, **changes},
    )


class VirtualTime:
    """A clock that only sleeping moves: what waits for seconds ends at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self.now


def store_in_virtual_time(settings: VectorStoreSettings) -> PineconeVectorStore:
    """Return a store that waits for no time at all as long as its settings say."""
    time = VirtualTime()
    return PineconeVectorStore(settings, sleep=time.sleep, monotonic=time.monotonic)
