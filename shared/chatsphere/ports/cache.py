"""What need not be computed twice."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CacheSpace:
    """Whose entries, and of what: of another space nothing can be read or overwritten. `kind` is a plain word."""

    organization_id: UUID
    bot_id: UUID
    kind: str


class Cache(Protocol):
    """Keeps small values for a while. It may forget any of them at any time."""

    def get(self, space: CacheSpace, key: bytes) -> bytes | None:
        """Return what was kept last under the key (32 bytes, a digest), None where it is not there, or too old.

        Raises:
            UnavailableError: the cache does not answer; so does `put`.
        """
        ...

    def put(self, space: CacheSpace, key: bytes, value: bytes, *, seconds: int) -> None:
        """Keep the value, of 64 KiB at most, for so long."""
        ...

    def count(self, organization_id: UUID, bot_id: UUID) -> int:
        """Return how many entries of the bot there are, of any kind; those that are too old may be among them.

        Raises:
            UnavailableError: the cache does not answer; so does `clear`.
        """
        ...

    def clear(self, organization_id: UUID, bot_id: UUID) -> int:
        """Forget every entry of the bot; return how many there were."""
        ...
