"""Where a Pinecone index is, and making one: the control plane."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

from chatsphere.adapters.upstream import QUESTION_SECONDS, Reply, Upstream
from chatsphere.errors import ConfigurationError, ProviderRejectedError, UnavailableError
from chatsphere.settings import VectorStoreSettings

API_VERSION: Final = "2026-07"
METRIC: Final = "cosine"

DENSE_FIELD: Final = "_values"
"""The reserved name under which an index keeps the vectors of the Vectors API."""

NOT_FOUND: Final = 404
_RPC_NOT_FOUND: Final = 5
_CONFLICT: Final = 409


class IndexMissingError(ConfigurationError):
    """There is no index of the name that the settings give."""


@dataclass(frozen=True, slots=True)
class IndexDescription:
    """What the control plane says of an index. `host` is None until it has one."""

    host: str | None
    dimension: int
    metric: str
    ready: bool


class PineconeIndex:
    """Calls one index's own address, which the control plane is asked for when the settings do not name it."""

    def __init__(self, settings: VectorStoreSettings) -> None:
        self._settings = settings
        # Kept, as its circuit breaker is what spares those who wait for the lock a vendor that is down.
        self._control = _control_plane(settings)
        self._lock = Lock()

    def call(self, method: str, path: str, body: object | None = None, *, within_seconds: float | None = None) -> Reply:
        """Call the data plane. Of a namespace that does not exist the answer has status 404.

        Raises:
            ConfigurationError: there is no such index, or its vectors are not of `vector_dimensions`.
            UnavailableError, ProviderOverloadedError, ProviderRejectedError: as `Upstream.call`.
        """
        # Two threads must not both ask the control plane, nor each have a circuit breaker of its own.
        with self._lock:
            data_plane = self._data_plane
        try:
            reply = data_plane.call(method, path, body, accepted=(NOT_FOUND,), within_seconds=within_seconds)
        except ProviderRejectedError:
            self._require_dimension(data_plane)
            raise
        if reply.status == NOT_FOUND and not is_missing_namespace(reply):
            # Another address answers, or the index is gone: that must not pass for an empty one.
            raise ProviderRejectedError("Pinecone does not know the index.")
        return reply

    @cached_property
    def _data_plane(self) -> Upstream:
        host = self._settings.pinecone_host
        if host is None:
            found = _describe(self._control, self._settings.pinecone_index, within_seconds=QUESTION_SECONDS)
            host = _checked(found, self._settings)
        return _upstream(self._settings, "Pinecone", host if "://" in host else f"https://{host}")

    def _require_dimension(self, data_plane: Upstream) -> None:
        """Say so where the rejection comes from vectors that the index is not made for."""
        stats: Any = None
        with suppress(UnavailableError, ProviderRejectedError):
            stats = data_plane.call("POST", "/describe_index_stats", {}).body
        dimension = stats.get("dimension") if isinstance(stats, dict) else None
        if dimension is not None and dimension != self._settings.vector_dimensions:
            raise _wrong_dimension(self._settings, dimension)


def is_missing_namespace(reply: Reply) -> bool:
    """Return whether the data plane says that there is no such namespace."""
    is_rpc_status = isinstance(reply.body, dict) and reply.body.get("code") == _RPC_NOT_FOUND
    return reply.status == NOT_FOUND and is_rpc_status


def ensure_index(
    settings: VectorStoreSettings,
    dimensions: int,
    *,
    timeout_seconds: float = 120,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> str:
    """Make the serverless index `pinecone_index` if there is none, wait until it is ready, and return its host.

    Doing it again, or at the same time, changes nothing.

    Raises:
        ConfigurationError: an index of that name exists with another dimension or metric.
        UnavailableError: it is not ready within `timeout_seconds`.
    """
    wanted = settings.model_copy(update={"vector_dimensions": dimensions})
    control = _control_plane(settings)
    deadline = monotonic() + timeout_seconds
    if _describe(control, settings.pinecone_index) is None:
        control.call("POST", "/indexes", _creation(wanted), accepted=(_CONFLICT,))
    while True:
        description = _describe(control, settings.pinecone_index)
        if description is not None and description.ready:
            return _checked(description, wanted)
        if monotonic() >= deadline:
            raise UnavailableError(f"The Pinecone index {settings.pinecone_index} is not ready in time.")
        sleep(1.0)


def _creation(settings: VectorStoreSettings) -> dict[str, Any]:
    vectors = {"type": "dense_vector", "dimension": settings.vector_dimensions, "metric": METRIC}
    return {
        "schema": {"fields": {DENSE_FIELD: vectors}},
        "name": settings.pinecone_index,
        "deployment": {
            "deployment_type": "managed",
            "cloud": settings.pinecone_cloud,
            "region": settings.pinecone_region,
        },
    }


def _checked(description: IndexDescription | None, settings: VectorStoreSettings) -> str:
    if description is None:
        raise IndexMissingError(f"PINECONE_INDEX: there is no index {settings.pinecone_index}.")
    if description.dimension != settings.vector_dimensions:
        raise _wrong_dimension(settings, description.dimension)
    if description.metric != METRIC:
        raise ConfigurationError(f"PINECONE_INDEX: the index's metric must be {METRIC}, not {description.metric}.")
    if description.host is None:
        raise UnavailableError(f"The Pinecone index {settings.pinecone_index} is not ready yet.")
    return description.host


def _wrong_dimension(settings: VectorStoreSettings, dimension: int) -> ConfigurationError:
    return ConfigurationError(
        f"VECTOR_DIMENSIONS: the Pinecone index is for vectors of {dimension} numbers, "
        f"the embedder's have {settings.vector_dimensions}."
    )


def _describe(control: Upstream, name: str, within_seconds: float | None = None) -> IndexDescription | None:
    path = f"/indexes/{quote(name, safe='')}"
    reply = control.call("GET", path, accepted=(NOT_FOUND,), within_seconds=within_seconds)
    if reply.status == NOT_FOUND:
        return None
    try:
        (vectors,) = [f for f in reply.body["schema"]["fields"].values() if f.get("type") == "dense_vector"]
        return IndexDescription(
            reply.body.get("host"), vectors["dimension"], vectors["metric"], reply.body["status"]["ready"]
        )
    except ValueError:
        raise ConfigurationError(f"PINECONE_INDEX: {name} is not an index of one dense vector a record.") from None
    except (KeyError, TypeError, AttributeError):
        raise UnavailableError("Pinecone describes its index in a way that cannot be read.") from None


def _control_plane(settings: VectorStoreSettings) -> Upstream:
    return _upstream(settings, "Pinecone's control plane", settings.pinecone_control_url)


def _upstream(settings: VectorStoreSettings, name: str, url: str) -> Upstream:
    headers = {"Api-Key": settings.pinecone_api_key or "", "X-Pinecone-Api-Version": API_VERSION}
    return Upstream(name, url, headers, settings)
