"""`Cache` at a Redis or Valkey server."""

from collections.abc import Iterator
from threading import Lock
from typing import Final
from uuid import UUID

from chatsphere.adapters.redis.address import RedisAddress
from chatsphere.adapters.redis.connection import RedisConnection, Reply, ReplyError
from chatsphere.adapters.upstream.circuit_breaker import CircuitBreaker
from chatsphere.errors import ConfigurationError, UnavailableError
from chatsphere.ports.cache import CacheSpace
from chatsphere.settings import CacheServerSettings

AT_A_TIME: Final = 1000
"""Keys that one command looks at, or deletes."""


class RedisCache:
    """The `Cache` port on one server, by one connection that is opened when first needed.

    A key is `chatsphere:{organization}:{bot}:{kind}:{digest}`. How many entries there are is the server's matter
    (`maxmemory`, `maxmemory-policy`).
    """

    def __init__(self, settings: CacheServerSettings) -> None:
        if settings.cache_url is None:
            raise ConfigurationError("the cache redis requires CACHE_URL")
        self._address = RedisAddress.of(settings.cache_url)
        self._seconds = settings.cache_seconds
        self._breaker = CircuitBreaker(
            "The cache", failures=settings.cache_breaker_failures, seconds=settings.cache_breaker_seconds
        )
        self._connection: RedisConnection | None = None
        self._lock = Lock()

    def get(self, space: CacheSpace, key: bytes) -> bytes | None:
        """See `Cache.get`."""
        reply = self._ask(b"GET", _name(space, key))
        return reply if isinstance(reply, bytes) else None

    def put(self, space: CacheSpace, key: bytes, value: bytes, *, seconds: int) -> None:
        """See `Cache.put`."""
        self._ask(b"SET", _name(space, key), value, b"EX", str(seconds).encode())

    def count(self, organization_id: UUID, bot_id: UUID) -> int:
        """See `Cache.count`."""
        return len(set(self._names(organization_id, bot_id)))

    def clear(self, organization_id: UUID, bot_id: UUID) -> int:
        """See `Cache.clear`."""
        names = sorted(set(self._names(organization_id, bot_id)))
        for first in range(0, len(names), AT_A_TIME):
            self._ask(b"DEL", *names[first : first + AT_A_TIME])
        return len(names)

    def _names(self, organization_id: UUID, bot_id: UUID) -> Iterator[bytes]:
        """Yield the bot's keys; the server may tell one twice."""
        pattern, place = f"chatsphere:{organization_id}:{bot_id}:*".encode(), b"0"
        while True:
            reply = self._ask(b"SCAN", place, b"MATCH", pattern, b"COUNT", str(AT_A_TIME).encode())
            if not (isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list)):
                raise UnavailableError("The cache did not say which entries there are.")
            yield from (name for name in reply[1] if isinstance(name, bytes))
            if not isinstance(reply[0], bytes) or reply[0] == b"0":
                return
            place = reply[0]

    def close(self) -> None:
        """Close the connection; the next command opens another."""
        with self._lock:
            self._drop()

    def _ask(self, *command: bytes) -> Reply:
        with self._lock:
            self._breaker.admit()
            try:
                reply = self._ask_once_more(command)
            except (OSError, ValueError, ReplyError) as error:
                self._drop()
                self._breaker.failed()
                # Not the error's text: it may hold what the server was told.
                raise UnavailableError(f"The cache does not answer: {type(error).__name__}.") from None
            self._breaker.succeeded()
            return reply

    def _ask_once_more(self, command: tuple[bytes, ...]) -> Reply:
        """Ask; by a new connection where the old one broke while nobody used it. Every command can be repeated."""
        if self._connection is not None:
            try:
                return self._connection.execute(*command)
            except TimeoutError:
                raise
            except OSError:
                self._drop()
        self._connection = RedisConnection(self._address, self._seconds)
        return self._connection.execute(*command)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _name(space: CacheSpace, key: bytes) -> bytes:
    return f"chatsphere:{space.organization_id}:{space.bot_id}:{space.kind}:{key.hex()}".encode()
