"""Vectors of questions that were embedded before: of the same bot's, and for a short time."""

from array import array
from collections import OrderedDict
from hashlib import sha256
from math import isfinite
from threading import Lock
from time import monotonic
from typing import Final, Protocol

from chatsphere.errors import UnavailableError
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.cache import Cache, CacheSpace
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.vectors import Namespace

KIND: Final = "question"
IN_PROCESS: Final = 256
"""Vectors that one process holds: of 768 numbers, about a megabyte in all."""

MILLION: Final = 1_000_000


class KnownVectors(Protocol):
    """Remembers vectors of texts. It raises nothing: what it does not know is embedded."""

    def find(self, namespace: Namespace, embedder: Embedder, text: str) -> Vector | None:
        """Return the vector that the embedder made of the text for this bot, None where that is not known."""
        ...

    def keep(self, namespace: Namespace, embedder: Embedder, text: str, vector: Vector) -> None:
        """Remember it."""
        ...


class QuestionVectors:
    """`KnownVectors` of the running service: those of this process, and behind them the shared cache, if there is one,
    for models that cost something.

    Numbers are kept as 32-bit floats, `seconds` long.
    """

    def __init__(self, cache: Cache | None, seconds: int) -> None:
        self._cache = cache
        self._seconds = seconds
        self._lock = Lock()
        self._held: OrderedDict[tuple[CacheSpace, bytes], tuple[float, bytes]] = OrderedDict()

    def find(self, namespace: Namespace, embedder: Embedder, text: str) -> Vector | None:
        """See `KnownVectors.find`."""
        space, key = CacheSpace(namespace.organization_id, namespace.bot_id, KIND), _key(embedder.model, text)
        packed = self._own(space, key) or self._shared(space, key, embedder)
        return None if packed is None else list(array("f", packed))

    def keep(self, namespace: Namespace, embedder: Embedder, text: str, vector: Vector) -> None:
        """See `KnownVectors.keep`."""
        space, key = CacheSpace(namespace.organization_id, namespace.bot_id, KIND), _key(embedder.model, text)
        packed = array("f", vector).tobytes()
        self._hold(space, key, packed)
        if self._cache is None or not _is_paid(embedder):
            return
        try:
            self._cache.put(space, key, packed, seconds=self._seconds)
        except UnavailableError as error:
            _failed(error)

    def _own(self, space: CacheSpace, key: bytes) -> bytes | None:
        with self._lock:
            until, packed = self._held.get((space, key), (0.0, b""))
            if monotonic() >= until:
                return None
            self._held.move_to_end((space, key))
            return packed

    def _shared(self, space: CacheSpace, key: bytes, embedder: Embedder) -> bytes | None:
        if self._cache is None or not _is_paid(embedder):
            return None
        try:
            packed = self._cache.get(space, key)
        except UnavailableError as error:
            _failed(error)
            return None
        if packed is None or len(packed) != 4 * embedder.dimensions or not all(map(isfinite, array("f", packed))):
            return None
        self._hold(space, key, packed)
        return packed

    def _hold(self, space: CacheSpace, key: bytes, packed: bytes) -> None:
        with self._lock:
            self._held[space, key] = (monotonic() + self._seconds, packed)
            while len(self._held) > IN_PROCESS:
                self._held.popitem(last=False)


def embedded(known: KnownVectors | None, namespace: Namespace, embedder: Embedder, text: str) -> tuple[Vector, int]:
    """Return the text's vector, and how many tokens were embedded for it: none where it was known."""
    vector = None if known is None else known.find(namespace, embedder, text)
    if vector is not None:
        return vector, 0
    vector = embedder.embed_query(text)
    if known is not None:
        known.keep(namespace, embedder, text, vector)
    return vector, embedder.count_tokens(text)


def _key(model: str, text: str) -> bytes:
    return sha256(b"\0".join([model.encode(), text.encode("utf-8", "surrogatepass")])).digest()


def _is_paid(embedder: Embedder) -> bool:
    """Return whether it pays to ask another machine: a model on this one answers as fast as a cache would."""
    return embedder.cost(MILLION) > 0


def _failed(error: UnavailableError) -> None:
    record(Metric.CACHE_FAILURES)
    logger.warning("embedded without the cache", code=error.code, detail=error.detail)
