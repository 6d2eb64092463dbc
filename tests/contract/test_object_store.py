"""The `ObjectStore` port. Every adapter, and the fake that other tests rest on, keeps the same promises."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from chatsphere.adapters.s3 import S3ObjectStore
from chatsphere.errors import DocumentTooLargeError, NotFoundError, UnavailableError
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.moto_server import make_bucket, running_moto

KEYS = ["a.txt", "folder/a b.txt", "Ü + ä & c%20?#.pdf", "名前.md", "e\u0301.txt", "a//b", "quote\"'<>.txt"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@dataclass
class Subject:
    """A store, and how a client outside removes an object from it."""

    store: Any
    remove: Any


def s3(endpoint: str, *, versioned: bool) -> Subject:
    bucket = f"bucket-{uuid4().hex}"
    client = make_bucket(endpoint, bucket, versioned=versioned)
    store = S3ObjectStore(bucket, endpoint)
    return Subject(store, lambda key: client.delete_object(Bucket=bucket, Key=key))


@pytest.fixture(params=["s3", "s3 without versions", "memory"])
def subject(request: pytest.FixtureRequest, endpoint: str) -> Subject:
    if request.param == "memory":
        fake = InMemoryObjectStore(FixedClock())
        return Subject(fake, fake.remove)
    return s3(endpoint, versioned=request.param == "s3")


@pytest.fixture(params=["s3", "memory"])
def versioned(request: pytest.FixtureRequest, endpoint: str) -> Subject:
    if request.param == "memory":
        fake = InMemoryObjectStore(FixedClock())
        return Subject(fake, fake.remove)
    return s3(endpoint, versioned=True)


def put(subject: Subject, key: str, body: bytes = b"text", **metadata: str) -> Any:
    return subject.store.put(key, body, content_type="text/plain", metadata=metadata)


@pytest.mark.parametrize("key", KEYS)
def test_what_is_put_is_found_under_exactly_its_key(subject: Subject, key: str, tmp_path: Path) -> None:
    # When
    stored = put(subject, key, b"text", note="n")
    # Then
    assert (stored.key, stored.size, stored.content_type, stored.metadata) == (key, 4, "text/plain", {"note": "n"})
    assert subject.store.head(key) == stored
    assert list(subject.store.keys("")) == [key]
    assert subject.store.download(key, None, tmp_path / "f", max_bytes=4) == stored
    assert (tmp_path / "f").read_bytes() == b"text"


def test_the_etag_depends_on_the_bytes_alone(subject: Subject) -> None:
    assert put(subject, "a", b"one").etag == put(subject, "b", b"one").etag != put(subject, "c", b"two").etag


def test_what_is_not_there_is_not_found(subject: Subject, tmp_path: Path) -> None:
    assert subject.store.head("nothing") is None
    with pytest.raises(NotFoundError):
        subject.store.download("nothing", None, tmp_path / "f", max_bytes=10)
    assert subject.store.delete("nothing") == 0


def test_a_version_stays_readable_until_it_is_deleted(versioned: Subject, tmp_path: Path) -> None:
    # Given
    first, second = put(versioned, "a", b"first"), put(versioned, "a", b"second")
    # Then
    assert first.version_id != second.version_id
    assert versioned.store.head("a") == second
    assert versioned.store.head("a", first.version_id) == first
    assert versioned.store.download("a", first.version_id, tmp_path / "f", max_bytes=10) == first
    assert (tmp_path / "f").read_bytes() == b"first"


def test_a_version_that_never_was_is_not_found(versioned: Subject, tmp_path: Path) -> None:
    put(versioned, "a")
    unknown = str(uuid4())
    assert versioned.store.head("a", unknown) is None
    with pytest.raises(NotFoundError):
        versioned.store.download("a", unknown, tmp_path / "f", max_bytes=10)


def test_a_removed_object_is_not_there_though_its_versions_are(versioned: Subject, tmp_path: Path) -> None:
    # Given
    put(versioned, "a")
    versioned.remove("a")
    # Then
    assert versioned.store.head("a") is None
    with pytest.raises(NotFoundError):
        versioned.store.download("a", None, tmp_path / "f", max_bytes=10)
    assert list(versioned.store.keys("")) == []
    assert versioned.store.count_versions("") == 2


def test_an_object_over_the_limit_is_not_downloaded(subject: Subject, tmp_path: Path) -> None:
    put(subject, "a", b"12345")
    with pytest.raises(DocumentTooLargeError):
        subject.store.download("a", None, tmp_path / "f", max_bytes=4)


def test_deleting_takes_every_version_of_one_key(versioned: Subject) -> None:
    # Given
    for body in (b"1", b"2", b"3"):
        put(versioned, "a", body)
    versioned.remove("a")
    put(versioned, "a.txt")
    # When
    assert versioned.store.delete("a") == 3
    # Then
    assert versioned.store.head("a") is None
    assert versioned.store.count_versions("") == 1
    assert list(versioned.store.keys("")) == ["a.txt"]
    assert versioned.store.delete("a") == 0


def test_deleting_versions_spares_what_was_stored_since(subject: Subject) -> None:
    # Given
    put(subject, "a", b"1")
    put(subject, "a.txt", b"another's")
    former = subject.store.versions("a")
    newest = put(subject, "a", b"2")
    # When
    deleted = subject.store.delete_versions("a", former)
    # Then: without versions nothing of the former one was left
    assert deleted == (newest.version_id is not None)
    assert subject.store.head("a") == newest
    assert len(subject.store.versions("a")) == 1
    assert sorted(subject.store.keys("")) == ["a", "a.txt"]


def test_versions_hold_delete_markers_too(versioned: Subject) -> None:
    # Given
    stored = put(versioned, "a")
    versioned.remove("a")
    # When
    versions = versioned.store.versions("a")
    # Then
    assert sorted(version.etag or "" for version in versions) == ["", stored.etag]
    assert stored.version_id in {version.id for version in versions}
    assert versioned.store.delete_versions("a", versions) == 1
    assert (versioned.store.versions("a"), versioned.store.count_versions("")) == ([], 0)


def test_deleting_a_prefix_takes_what_listings_hide(versioned: Subject) -> None:
    # Given
    put(versioned, "bot/a")
    put(versioned, "bot/b/c")
    put(versioned, "bot/hidden")
    versioned.remove("bot/hidden")
    put(versioned, "bots")
    # When
    assert versioned.store.delete_prefix("bot/") == 3
    # Then
    assert versioned.store.count_versions("bot/") == 0
    assert list(versioned.store.keys("")) == ["bots"]


def test_more_versions_than_one_request_deletes(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr("chatsphere.adapters.s3._AT_ONCE", 10)
    subject = s3(endpoint, versioned=True)
    for number in range(25):
        put(subject, f"bot/{number % 5}", str(number).encode())
    # When, Then
    assert subject.store.delete_prefix("bot/") == 25
    assert subject.store.count_versions("") == 0


def test_deletion_without_versions(subject: Subject) -> None:
    put(subject, "a")
    put(subject, "b")
    assert subject.store.delete("a") == 1
    assert list(subject.store.keys("")) == ["b"]


def test_keys_are_those_under_the_prefix(subject: Subject) -> None:
    for key in ("a/1", "a/2", "ab/3", "b/4"):
        put(subject, key)
    assert list(subject.store.keys("a/")) == ["a/1", "a/2"]
    assert list(subject.store.keys("nothing/")) == []


def test_objects_are_listed_in_the_order_of_their_bytes_from_a_key_on(subject: Subject) -> None:
    keys = ["p/A", "p/a b+%", "p/a/1", "p/\u00e9", "p/\U0001f600"]
    stored = {key: put(subject, key, key.encode()) for key in ["q/b", *reversed(keys)]}
    listed = list(subject.store.listing("p/"))
    assert [each.key for each in listed] == keys
    assert [each.etag for each in listed] == [stored[key].etag for key in keys]
    assert [each.key for each in subject.store.listing("p/", after="p/a b+%")] == keys[2:]


@pytest.mark.parametrize("key", KEYS)
def test_a_presigned_form_uploads_to_exactly_its_key(endpoint: str, key: str) -> None:
    # Given
    store = s3(endpoint, versioned=True).store
    form = store.presign_upload(
        key, content_type="text/plain", max_bytes=4, expires_seconds=60, metadata={"declared-size": "4"}
    )
    # When
    answer = httpx.post(form.url, data=dict(form.fields), files={"file": ("any", b"text", "text/plain")})
    # Then
    assert answer.is_success
    stored = store.head(key)
    assert (stored.key, stored.size, stored.content_type) == (key, 4, "text/plain")
    assert stored.metadata == {"declared-size": "4"}


def test_a_presigned_form_limits_key_type_size_and_time() -> None:
    # Given a client of AWS itself: the form is signed without a request
    with running_moto():
        store = S3ObjectStore("uploads")
        form = store.presign_upload(
            "o/b/a.txt", content_type="text/plain", max_bytes=123, expires_seconds=60, metadata={"declared-size": "123"}
        )
    # Then
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    conditions = policy["conditions"]
    assert ["content-length-range", 0, 123] in conditions
    for condition in (
        {"bucket": "uploads"},
        {"key": "o/b/a.txt"},
        {"Content-Type": "text/plain"},
        {"x-amz-meta-declared-size": "123"},
    ):
        assert condition in conditions
    assert form.url.startswith("https://uploads.s3.")
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_a_store_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    # Given a port where nobody listens
    with running_moto():
        store = S3ObjectStore("uploads", "http://127.0.0.1:9")
        # Then
        with pytest.raises(UnavailableError):
            store.head("a")
        with pytest.raises(UnavailableError):
            store.download("a", None, tmp_path / "f", max_bytes=10)
        with pytest.raises(UnavailableError):
            list(store.keys(""))


def test_a_bucket_that_does_not_exist_is_unavailable(endpoint: str) -> None:
    store = S3ObjectStore(f"none-{uuid4().hex}", endpoint)
    with pytest.raises(UnavailableError):
        list(store.keys(""))
    with pytest.raises(UnavailableError):
        store.put("a", b"", content_type="text/plain", metadata={})


@pytest.mark.parametrize("name", ["notes.txt", 'a"b; filename=evil.html', "Übersicht 1.pdf"])
def test_a_link_reads_one_version_and_is_saved_under_its_name(endpoint: str, name: str) -> None:
    # Given
    store = s3(endpoint, versioned=True).store
    first = store.put("o/b/page.html", b"<script>", content_type="text/html", metadata={})
    store.put("o/b/page.html", b"newer", content_type="text/html", metadata={})
    # When
    url = store.presign_download(
        "o/b/page.html",
        first.version_id,
        content_type="application/octet-stream",
        file_name=name,
        inline=False,
        expires_seconds=300,
    )
    answer = httpx.get(url)
    # Then
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "X-Amz-Expires=300" in url


@pytest.mark.parametrize("size", [0, 5, 17 * 1024 * 1024])
def test_what_comes_in_blocks_is_stored_whole(subject: Subject, size: int) -> None:
    # When
    blocks = (b"x" * min(1_000_000, size - start) for start in range(0, size, 1_000_000))
    stored = subject.store.put_stream("a", blocks, content_type="text/plain", metadata={"note": "n"})
    # Then
    assert (stored.size, stored.content_type, stored.metadata) == (size, "text/plain", {"note": "n"})
    assert subject.store.head("a") == stored


def test_nothing_is_stored_of_what_breaks_off(subject: Subject) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 33 * 1024 * 1024
        raise OSError

    with pytest.raises(OSError):
        subject.store.put_stream("a", broken(), content_type="text/plain", metadata={})
    assert subject.store.head("a") is None


def test_a_part_of_an_object_is_read(subject: Subject) -> None:
    stored = put(subject, "a", b"0123456789")
    read = partial(subject.store.read, "a", stored.version_id)
    assert (read(start=0, length=3), read(start=8, length=5), read(start=10, length=1)) == (b"012", b"89", b"")
    with pytest.raises(NotFoundError):
        subject.store.read("nothing", None, start=0, length=1)
