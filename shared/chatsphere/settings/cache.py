"""Whether, and where, answers and embeddings are kept to be given again."""

from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from chatsphere.settings.environment import Environment, VendorKey


class CacheSettings(Environment):
    """Where the cache is: in PostgreSQL, at a Redis or Valkey server, or nowhere (`off`)."""

    cache: Literal["postgresql", "redis", "off"] = "postgresql"


class CacheServerSettings(CacheSettings):
    """How the cache is used.

    `cache_url` is `rediss://user:password@host:6379/0`, with TLS; `redis://`, without, only on the same machine. A
    server that does not answer within `cache_seconds` is done without, and after `cache_breaker_failures` failures in a
    row it is not asked for `cache_breaker_seconds`.
    """

    cache_url: VendorKey = None
    cache_seconds: float = Field(default=0.25, gt=0, le=5)
    cache_breaker_failures: int = Field(default=3, ge=1)
    cache_breaker_seconds: float = Field(default=30.0, gt=0, le=600)
    cache_answer_seconds: int = Field(default=24 * 3600, ge=1, le=30 * 24 * 3600)
    cache_question_seconds: int = Field(default=3600, ge=1, le=24 * 3600)

    @field_validator("cache_url")
    @classmethod
    def _has_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://")):
            raise ValueError("begins with redis:// or rediss://")
        if value is not None and value.startswith("redis://") and not _is_loopback(urlsplit(value).hostname):
            raise ValueError("redis:// sends questions and answers in the clear: another machine takes rediss://")
        return value

    @model_validator(mode="after")
    def _has_server(self) -> Self:
        if self.cache == "redis" and not self.cache_url:
            raise ValueError("the cache redis requires CACHE_URL")
        return self


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
