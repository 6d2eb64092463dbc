"""Where a server is and as whom it is spoken to, as a URL says it."""

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

from chatsphere.errors import ConfigurationError

PORT = 6379


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """`rediss://user:password@host:port/database`. `database` is a number."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None = field(repr=False)
    database: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            ConfigurationError: it is none of a server. Tells nothing of what it holds.
        """
        try:
            parts = urlsplit(url)
            database = int(parts.path.strip("/") or 0)
            port = parts.port or PORT
        except ValueError:
            raise ConfigurationError("CACHE_URL: port and database are numbers") from None
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ConfigurationError("CACHE_URL: begins with redis:// or rediss:// and names a host")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port, parts.scheme == "rediss", user, password, database)
