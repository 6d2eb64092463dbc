"""Small working stand-ins for the ports. Tests assert on the state that they hold."""

import hashlib
import math
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlencode
from uuid import UUID

from chatsphere.errors import DocumentTooLargeError, MailRejectedError, NotFoundError, UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.mail import Mail
from chatsphere.ports.objects import ListedObject, ObjectVersion, PresignedPost, StoredObject
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


class FakeEmbedder:
    """Unit vectors made from a hash of the text; a token is a word and costs `price`. Remembers what it was given."""

    def __init__(self, dimensions: int = 16, *, model: str = "fake", price: int = 0) -> None:
        self.model = model
        self._dimensions = dimensions
        self._price = price
        self.texts: list[str] = []

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def cost(self, tokens: int) -> int:
        return tokens * self._price

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
        self.delays: list[int] = []
        self.failures = 0

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str, delay_seconds: int = 0) -> None:
        accepted = [dict(message) for message in messages]
        if self.failures:
            self.failures -= 1
            raise UnavailableError("The queue does not answer.")
        self.messages.extend(accepted)
        self.groups.append(group)
        self.delays.append(delay_seconds)


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

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        self._answer()
        gone = [
            r.id
            for r in self.records[namespace].values()
            if r.document_id == document_id
            and r.generation != except_generation
            and (through_generation is None or r.generation <= through_generation)
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

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        self._answer()
        return {each: self.records[namespace][each].values for each in ids if each in self.records[namespace]}

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        self._answer()
        found = sorted({r.document_id for r in self.records[namespace].values()})
        left = [document for document in found if after is None or document > UUID(after)]
        return VectorsPage(frozenset(left[:2]), str(left[1]) if len(left) > 2 else None)

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
    modified_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    parts: int = 0

    @property
    def etag(self) -> str | None:
        """Of an object that came in parts it is another hash."""
        suffix = f"-{self.parts}" if self.parts else ""
        return None if self.body is None else hashlib.md5(self.body).hexdigest() + suffix


class InMemoryObjectStore:
    """A bucket that, like moto, checks nothing of a presigned form. `events` are S3's notifications."""

    bucket = "uploads"

    def __init__(self, clock: Clock, *, versioned: bool = True) -> None:
        self._clock = clock
        self._versioned = versioned
        self._versions: defaultdict[str, list[Version]] = defaultdict(list)
        self._sequence = 0
        self.events: list[dict[str, Any]] = []

    def presign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int, metadata: Mapping[str, str]
    ) -> PresignedPost:
        fields = {"key": key, "Content-Type": content_type, "max": str(max_bytes)}
        return PresignedPost("http://uploads", fields | {f"x-amz-meta-{k}": v for k, v in metadata.items()})

    def saved(self) -> dict[str, list[Version]]:
        """Return what is stored, for `restore`."""
        return {key: list(versions) for key, versions in self._versions.items()}

    def restore(self, saved: Mapping[str, list[Version]]) -> None:
        """Return to what was stored then."""
        self._versions = defaultdict(list, {key: list(versions) for key, versions in saved.items()})

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
        shown = urlencode({"type": content_type, "name": file_name, "inline": inline, "expires": expires_seconds})
        return f"http://uploads/{quote(key)}?version={version_id}&{shown}"

    def upload(self, form: PresignedPost, body: bytes) -> StoredObject:
        """Do what a client does with a presigned form."""
        metadata = {k.removeprefix("x-amz-meta-"): v for k, v in form.fields.items() if k.startswith("x-amz-meta-")}
        return self.put(form.fields["key"], body, content_type=form.fields["Content-Type"], metadata=metadata)

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        version = self._find(key, version_id)
        return None if version is None else self._stored(key, version)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        parts: int = 0,
        event: str = "ObjectCreated:Put",
    ) -> StoredObject:
        """Store an object; one that came in `parts` has another kind of ETag."""
        version = Version(self._next(), body, content_type, metadata, self._clock.now(), parts)
        self._versions[key] = [*self._versions[key], version] if self._versioned else [version]
        self._announce("ObjectCreated:CompleteMultipartUpload" if parts else event, key, version)
        return self._stored(key, version)

    def put_stream(
        self, key: str, blocks: Iterable[bytes], *, content_type: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        return self.put(key, b"".join(blocks), content_type=content_type, metadata=metadata)

    def read(self, key: str, version_id: str | None, *, start: int, length: int) -> bytes:
        version = self._find(key, version_id)
        if version is None or version.body is None:
            raise NotFoundError("There is no such object.")
        return version.body[start : start + length]

    def copy(self, source: str, target: str) -> None:
        """Copy the present object with its metadata."""
        version = self._find(source, None)
        if version is not None and version.body is not None:
            values = {"content_type": version.content_type, "metadata": version.metadata}
            self.put(target, version.body, **values, event="ObjectCreated:Copy")  # type: ignore[arg-type]

    def remove(self, key: str) -> None:
        """Delete as a client does that names no version: a versioned bucket hides the object under a marker."""
        marker = Version(self._next(), None, modified_at=self._clock.now())
        if self._versioned:
            self._versions[key].append(marker)
            self._announce("ObjectRemoved:DeleteMarkerCreated", key, marker)
        elif self._versions.pop(key, None):
            self._announce("ObjectRemoved:Delete", key, marker)

    def remove_newest(self, key: str, *, event: str = "ObjectRemoved:Delete") -> None:
        """Delete the newest version, or delete marker, for good: the one before it is the present one again."""
        if versions := self._versions.get(key):
            self._next()
            self._announce(event, key, versions.pop())

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

    def versions(self, key: str) -> list[ObjectVersion]:
        return [self._listed(version) for version in self._versions.get(key, [])]

    def delete_versions(self, key: str, versions: Collection[ObjectVersion]) -> int:
        gone = [version for version in self._versions.get(key, []) if self._listed(version) in versions]
        for version in gone:
            self._versions[key].remove(version)
            self._next()
            self._announce("ObjectRemoved:Delete", key, version)
        return sum(version.body is not None for version in gone)

    def delete_prefix(self, prefix: str) -> int:
        return sum(self.delete(key) for key in list(self._versions) if key.startswith(prefix))

    def keys(self, prefix: str) -> Iterator[str]:
        yield from (listed.key for listed in self.listing(prefix))

    def listing(self, prefix: str, *, after: str | None = None) -> Iterator[ListedObject]:
        # In the order of their bytes, as S3 does.
        for key in sorted(self._versions, key=str.encode):
            stored = self.head(key) if key.startswith(prefix) and key.encode() > (after or "").encode() else None
            if stored is not None:
                yield ListedObject(key, stored.etag)

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
        version_id = version.id if self._versioned else None
        return StoredObject(key, len(body), version.etag or "", version.content_type, version_id, version.metadata)

    def _listed(self, version: Version) -> ObjectVersion:
        return ObjectVersion(version.id if self._versioned else "null", version.etag, version.modified_at)

    def _next(self) -> str:
        self._sequence += 1
        return f"v{self._sequence}"

    def _announce(self, name: str, key: str, version: Version) -> None:
        self.events.append(
            s3_event(
                key,
                name=name,
                happened_at=self._clock.now(),
                version_id=version.id if self._versioned else None,
                sequencer=f"{self._sequence:X}",
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
