"""Moto's S3: the buckets, restored from their mirrors, each change mirrored and, where somebody hears, announced."""

import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends

from infra.local.object_mirror import ObjectMirror, StoredVersion
from infra.local.s3_events import object_event
from infra.local.stand_in_plan import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class Created:
    """A new version `stored`; `event` is S3's name for how it came."""

    stored: FakeKey
    event: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A version removed for good, or hidden by the new delete marker `marker`."""

    bucket: str
    key: str
    version_id: str
    marker: FakeDeleteMarker | None


Change = Created | Removed
Publish = Callable[[dict[str, Any]], None]
_changes: ContextVar[list[Change] | None] = ContextVar("changes", default=None)


class FileOnDisk:
    """Stands in for moto's buffer of an object's bytes, so that mirrored objects take no memory and no handle."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def seek(self, position: int) -> None:
        """Read next from `position`."""
        self._position = position

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        with self._path.open("rb") as file:
            file.seek(self._position)
            data = file.read(size)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Nothing is held open."""


class MirroredBucket:
    """One bucket. `publish` None: nobody is told of its changes."""

    def __init__(self, name: str, mirror: ObjectMirror, publish: Publish | None = None) -> None:
        self.name = name
        self._mirror = mirror
        self._publish = publish
        self._backend: S3Backend = s3_backends[ACCOUNT]["aws"]
        self._last_sequence = 0

    def restore(self) -> None:
        """Create the bucket with every version on disk."""
        bucket = self._backend.create_bucket(self.name, REGION)
        self._backend.put_bucket_versioning(self.name, "Enabled")
        for version in self._mirror.versions():
            entry = self._delete_marker(version) if version.delete_marker else self._object(version)
            bucket.keys.setlist(version.key, [*bucket.keys.getlist(version.key, []), entry])

    def commit(self, change: Change) -> None:
        """Mirror a change, then announce it."""
        if isinstance(change, Created):
            self._commit_created(change)
        else:
            self._commit_removed(change)

    def _commit_created(self, change: Created) -> None:
        stored = change.stored
        version = StoredVersion(
            key=stored.name,
            version_id=stored.version_id,
            sequence=self._next_sequence(),
            last_modified=stored.last_modified.isoformat(),
            size=stored.size,
            etag=stored.etag.strip('"'),
            metadata=dict(stored.metadata.items()),
            checksum=_checksum(stored),
        )
        self._mirror.put(version, stored.value)
        stored._value_buffer.close()
        stored._value_buffer = FileOnDisk(self._mirror.data_path(version))  # type: ignore[assignment]
        self._announce(change.event, version)

    def _commit_removed(self, change: Removed) -> None:
        version = StoredVersion(
            key=change.key,
            version_id=change.version_id,
            sequence=self._next_sequence(),
            last_modified=datetime.now(UTC).isoformat(),
            delete_marker=change.marker is not None,
        )
        if change.marker is not None:
            self._mirror.put(version, b"")
            self._announce("ObjectRemoved:DeleteMarkerCreated", version)
        else:
            self._mirror.remove(change.key, change.version_id)
            self._announce("ObjectRemoved:Delete", version)

    def _announce(self, event: str, version: StoredVersion) -> None:
        if self._publish is not None:
            self._publish(object_event(self.name, REGION, event, version))

    def _next_sequence(self) -> int:
        self._last_sequence = max(time.time_ns(), self._last_sequence + 1)
        return self._last_sequence

    def _object(self, version: StoredVersion) -> FakeKey:
        key = FakeKey(
            version.key,
            b"",
            account_id=ACCOUNT,
            region_name=REGION,
            etag=version.etag,
            is_versioned=True,
            version_id=version.version_id,
            bucket_name=self.name,
        )
        key._value_buffer = FileOnDisk(self._mirror.data_path(version))  # type: ignore[assignment]
        key.contentsize = version.size
        key.last_modified = datetime.fromisoformat(version.last_modified)
        key.set_metadata(dict(version.metadata))
        for name, value in version.checksum.items():
            setattr(key, name, value)
        return key

    def _delete_marker(self, version: StoredVersion) -> FakeDeleteMarker:
        hidden = FakeKey(version.key, b"", account_id=ACCOUNT, region_name=REGION, bucket_name=self.name)
        marker = FakeDeleteMarker(hidden)
        marker._version_id = version.version_id
        return marker


class MirroredBuckets:
    """All buckets. Moto reports changes as they happen; `commit` makes a request's durable, then announces them."""

    def __init__(self, buckets: Sequence[MirroredBucket]) -> None:
        self._buckets = {bucket.name: bucket for bucket in buckets}

    def restore(self) -> None:
        """Create the buckets with every version on disk; only then are changes recorded."""
        for bucket in self._buckets.values():
            bucket.restore()
        _record_changes(frozenset(self._buckets))

    def start_recording(self) -> None:
        """Begin one request: forget what an earlier request of this thread did."""
        _changes.set([])

    def commit(self) -> None:
        """Mirror what the request changed, in order, then announce it."""
        for change in _changes.get() or []:
            name = str(change.stored.bucket_name) if isinstance(change, Created) else change.bucket
            self._buckets[name].commit(change)
        _changes.set(None)


def _checksum(stored: FakeKey) -> dict[str, str | int]:
    values: dict[str, Any] = {
        name: getattr(stored, name)
        for name in ("checksum_algorithm", "checksum_value", "checksum_type", "checksum_parts")
    }
    known = {name: value for name, value in values.items() if value is not None}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in known.items()}


def _record_changes(recorded: frozenset[str]) -> None:
    """Have moto report its changes of the buckets here, in place of its own notifications: those are sent before
    an object's metadata is set, name no version, and miss every removal in a versioned bucket."""

    def send_event(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:  # noqa: ARG001
        name = str(event_name.value).removeprefix("s3:")
        changes = _changes.get()
        if changes is None or bucket.name not in recorded or not name.startswith("ObjectCreated:"):
            return
        # A completed multipart upload is reported twice; its last name is the right one.
        changes[:] = [c for c in changes if not (isinstance(c, Created) and c.stored is key)]
        changes.append(Created(key, name))

    notifications.send_event = send_event
    delete = S3Backend.delete_object

    def delete_object(
        self: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        done, answer = delete(self, bucket_name, key_name, version_id, bypass)
        changes = _changes.get()
        if done and changes is not None and bucket_name in recorded:
            newest = self.get_bucket(bucket_name).keys.get(key_name)
            marker = newest if version_id is None and isinstance(newest, FakeDeleteMarker) else None
            changes.append(Removed(bucket_name, key_name, version_id or str(answer.get("version-id")), marker))
        return done, answer

    S3Backend.delete_object = delete_object  # type: ignore[method-assign]
