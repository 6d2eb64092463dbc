"""Where files are kept."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """Where and with which form fields a client may upload one object."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store says of an object. `version_id` is None where the bucket is not versioned."""

    key: str
    size: int
    etag: str
    content_type: str | None
    version_id: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object; a delete marker has no `etag`.

    In a bucket without versions every `id` is "null": only `etag` and `modified_at` tell one object from the next.
    """

    id: str
    etag: str | None
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a listing says of an object."""

    key: str
    etag: str


class ObjectStore(Protocol):
    """The uploads bucket."""

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        ...

    def presign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int, metadata: Mapping[str, str]
    ) -> PresignedPost:
        """Permit one upload to exactly this key, of at most `max_bytes`."""
        ...

    def presign_download(
        self,
        key: str,
        version_id: str | None,
        *,
        content_type: str,
        file_name: str,
        inline: bool,
        expires_seconds: int,
    ) -> str:
        """Return a URL by which anybody may read this object; nobody asks whether there is one.

        A browser is told that it is of this type, and to save it under the name, or `inline`: to show it.
        """
        ...

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """Return what is known of the object, or None where there is none."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> StoredObject:
        """Store an object, replacing the present version."""
        ...

    def put_stream(
        self, key: str, blocks: Iterable[bytes], *, content_type: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        """Store an object, of any size, as its bytes come; nothing of it is there before the last one.

        Where the iterator raises, nothing is stored.
        """
        ...

    def read(self, key: str, version_id: str | None, *, start: int, length: int) -> bytes:
        """Return up to `length` (at least 1) bytes from `start`, fewer only at the object's end.

        Raises:
            NotFoundError: there is no such object or version.
        """
        ...

    def download(self, key: str, version_id: str | None, target: Path, *, max_bytes: int) -> StoredObject:
        """Write the object's bytes to `target`.

        Raises:
            NotFoundError: there is no such object or version.
            DocumentTooLargeError: it holds more than `max_bytes`; nothing more than that is read.
        """
        ...

    def delete(self, key: str) -> int:
        """Delete every version and delete marker of the key; return how many versions with data were deleted."""
        ...

    def versions(self, key: str) -> list[ObjectVersion]:
        """Return every version and delete marker of exactly this key, in no particular order."""
        ...

    def delete_versions(self, key: str, versions: Collection[ObjectVersion]) -> int:
        """Delete those of the versions that are still there, and nothing that was stored later; as `delete`."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Delete every version and delete marker under the prefix, also of keys that listings hide; as `delete`."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the key of each present object (latest version not deleted) under the prefix."""
        ...

    def listing(self, prefix: str, *, after: str | None = None) -> Iterator[ListedObject]:
        """Yield each present object under the prefix whose key follows `after`, in the order of the keys' UTF-8."""
        ...

    def count_versions(self, prefix: str) -> int:
        """Return how many versions, delete markers included, are left under the prefix."""
        ...
