"""Small working stand-ins for the ports. Tests assert on the state that they hold."""

import hashlib
import math
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from chatsphere.errors import DocumentTooLargeError, MailRejectedError, NotFoundError, UnavailableError
from chatsphere.ports import Mail, Namespace, PresignedPost, StoredObject, Vector, VectorMatch, VectorRecord


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


class FakeEmbedder:
    """Unit vectors made from a hash of the text; a token is a word. Remembers what it was given."""

    model = "fake"

    def __init__(self, dimensions: int = 16) -> None:
        self._dimensions = dimensions
        self.texts: list[str] = []

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        self.texts.extend(texts)
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        digest = hashlib.shake_256(text.encode()).digest(self._dimensions)
        values = [byte / 127.5 - 1 for byte in digest]
        length = math.sqrt(sum(value * value for value in values)) or 1.0
        return [value / length for value in values]


class InMemoryQueue:
    """Keeps what was sent until a test takes it. `failures` sends fail first."""

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque()
        self.groups: list[str] = []
        self.failures = 0

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str) -> None:
        accepted = [dict(message) for message in messages]
        if self.failures:
            self.failures -= 1
            raise UnavailableError("The queue does not answer.")
        self.messages.extend(accepted)
        self.groups.append(group)


class InMemoryMailer:
    """Keeps the mails that it was given. The next `rejected` of them are refused, then `failures` fail."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.rejected = 0
        self.failures = 0

    def send(self, mail: Mail) -> None:
        if self.rejected:
            self.rejected -= 1
            raise MailRejectedError
        if self.failures:
            self.failures -= 1
            raise UnavailableError
        self.sent.append(mail)


class InMemoryVectorStore:
    """Vectors by namespace and id. `failures` calls fail first."""

    def __init__(self) -> None:
        self.records: defaultdict[Namespace, dict[str, VectorRecord]] = defaultdict(dict)
        self.failures = 0

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        self._answer()
        self.records[namespace].update({record.id: record for record in records})

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        self._answer()
        found = [r for r in self.records[namespace].values() if documents is None or r.document_id in documents]
        matches = [
            VectorMatch(r.chunk_id, r.document_id, sum(a * b for a, b in zip(r.values, vector, strict=True)))
            for r in found
        ]
        return sorted(matches, key=lambda match: -match.score)[:limit]

    def delete_document(self, namespace: Namespace, document_id: UUID, *, except_generation: int | None = None) -> int:
        self._answer()
        gone = [
            r.id
            for r in self.records[namespace].values()
            if r.document_id == document_id and r.generation != except_generation
        ]
        for record_id in gone:
            del self.records[namespace][record_id]
        return len(gone)

    def delete_namespace(self, namespace: Namespace) -> int:
        self._answer()
        return len(self.records.pop(namespace, {}))

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        self._answer()
        return sum(document_id in (None, r.document_id) for r in self.records[namespace].values())

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("The vector store does not answer.")


@dataclass(frozen=True)
class Version:
    """One version of an object; `body` is None for a delete marker."""

    id: str
    body: bytes | None
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class InMemoryObjectStore:
    """A versioned bucket that, like moto, checks nothing of a presigned form. `events` are S3's notifications."""

    bucket = "uploads"

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self._versions: defaultdict[str, list[Version]] = defaultdict(list)
        self._sequence = 0
        self.events: list[dict[str, Any]] = []

    def presign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int, metadata: Mapping[str, str]
    ) -> PresignedPost:
        fields = {"key": key, "Content-Type": content_type, "max": str(max_bytes)}
        return PresignedPost("http://uploads", fields | {f"x-amz-meta-{k}": v for k, v in metadata.items()})

    def upload(self, form: PresignedPost, body: bytes) -> StoredObject:
        """Do what a client does with a presigned form."""
        metadata = {k.removeprefix("x-amz-meta-"): v for k, v in form.fields.items() if k.startswith("x-amz-meta-")}
        return self.put(form.fields["key"], body, content_type=form.fields["Content-Type"], metadata=metadata)

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        version = self._find(key, version_id)
        return None if version is None else self._stored(key, version)

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> StoredObject:
        version = Version(self._next(), body, content_type, metadata)
        self._versions[key].append(version)
        self._announce("ObjectCreated:Put", key, version)
        return self._stored(key, version)

    def remove(self, key: str) -> None:
        """Hide the object under a delete marker, as a client's plain delete does."""
        marker = Version(self._next(), None)
        self._versions[key].append(marker)
        self._announce("ObjectRemoved:DeleteMarkerCreated", key, marker)

    def download(self, key: str, version_id: str | None, target: Path, *, max_bytes: int) -> StoredObject:
        version = self._find(key, version_id)
        if version is None or version.body is None:
            raise NotFoundError("There is no such object.")
        if len(version.body) > max_bytes:
            raise DocumentTooLargeError
        target.write_bytes(version.body)
        return self._stored(key, version)

    def delete(self, key: str) -> int:
        versions = self._versions.pop(key, [])
        for version in versions:
            self._next()
            self._announce("ObjectRemoved:Delete", key, version)
        return sum(version.body is not None for version in versions)

    def delete_prefix(self, prefix: str) -> int:
        return sum(self.delete(key) for key in list(self._versions) if key.startswith(prefix))

    def keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self._versions if key.startswith(prefix) and self.head(key))

    def count_versions(self, prefix: str) -> int:
        return sum(len(versions) for key, versions in self._versions.items() if key.startswith(prefix))

    def _find(self, key: str, version_id: str | None) -> Version | None:
        versions = self._versions.get(key, [])
        if version_id is None:
            found = versions[-1] if versions else None
        else:
            found = next((version for version in versions if version.id == version_id), None)
        return None if found is None or found.body is None else found

    def _stored(self, key: str, version: Version) -> StoredObject:
        body = version.body or b""
        etag = hashlib.md5(body).hexdigest()
        return StoredObject(key, len(body), etag, version.content_type, version.id, version.metadata)

    def _next(self) -> str:
        self._sequence += 1
        return f"v{self._sequence}"

    def _announce(self, name: str, key: str, version: Version) -> None:
        self.events.append(
            s3_event(
                key, name=name, happened_at=self._clock.now(), version_id=version.id, sequencer=f"{self._sequence:X}"
            )
        )


def s3_event(
    key: str,
    *,
    name: str = "ObjectCreated:Put",
    happened_at: datetime,
    version_id: str | None = None,
    sequencer: str | None = None,
) -> dict[str, Any]:
    """Return a notification as S3 words it."""
    described = {"key": quote_plus(key), "versionId": version_id, "sequencer": sequencer}
    record = {
        "eventSource": "aws:s3",
        "eventName": name,
        "eventTime": happened_at.isoformat().replace("+00:00", "Z"),
        "s3": {
            "bucket": {"name": "uploads"},
            "object": {name: value for name, value in described.items() if value is not None},
        },
    }
    return {"Records": [record]}
