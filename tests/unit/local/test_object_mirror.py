"""Objects on disk: whatever the key, and nothing half-written."""

from pathlib import Path

import pytest

from infra.local.object_mirror import ObjectMirror, StoredVersion
from infra.local.s3_events import lost_events, object_event


def a_version(key: str, version_id: str = "v1", sequence: int = 1, delete_marker: bool = False) -> StoredVersion:
    return StoredVersion(key, version_id, sequence, "2026-01-02T03:04:05+00:00", delete_marker=delete_marker, size=4)


@pytest.mark.parametrize(
    "key", ["a/b.txt", "../../etc/passwd", "/", "a//b", "ü" * 512, "\U0001f600", "x" * 1024, ".", "nul\0"]
)
def test_any_key_is_kept_inside_the_folder(tmp_path: Path, key: str) -> None:
    root = tmp_path / "objects"
    root.mkdir()
    mirror = ObjectMirror(root)
    mirror.put(a_version(key), b"data")
    assert mirror.versions() == [a_version(key)]
    assert mirror.data_path(a_version(key)).read_bytes() == b"data"
    assert [path.name for path in tmp_path.iterdir()] == ["objects"]


def test_versions_are_in_order_and_the_newest_is_current(tmp_path: Path) -> None:
    mirror = ObjectMirror(tmp_path)
    second, first = a_version("k", "b", 2), a_version("k", "a", 1)
    for version in (second, first):
        mirror.put(version, b"data")
    assert mirror.versions() == [first, second]
    assert mirror.newest() == [second]


def test_deleted_key_is_not_current(tmp_path: Path) -> None:
    mirror = ObjectMirror(tmp_path)
    mirror.put(a_version("k", "a", 1), b"data")
    mirror.put(a_version("k", "b", 2, delete_marker=True), b"")
    assert [version.delete_marker for version in mirror.newest()] == [True]
    mirror.remove("k", "b")
    assert [version.delete_marker for version in mirror.newest()] == [False]


def test_removed_version_leaves_no_bytes(tmp_path: Path) -> None:
    mirror = ObjectMirror(tmp_path)
    mirror.put(a_version("k"), b"data")
    mirror.remove("k", "v1")
    mirror.remove("k", "v1")
    assert mirror.versions() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_bytes_without_description_are_no_object(tmp_path: Path) -> None:
    """The process was killed after it had written the bytes, before the upload was acknowledged."""
    mirror = ObjectMirror(tmp_path)
    mirror.put(a_version("k"), b"data")
    mirror.data_path(a_version("k")).with_suffix(".json").unlink()
    assert mirror.versions() == []


def test_event_is_worded_as_s3_does() -> None:
    record = object_event("bucket", "us-east-1", "ObjectCreated:Put", a_version("a b/ü+.txt"))["Records"][0]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == "bucket"
    assert record["s3"]["object"]["key"] == "a+b%2F%C3%BC%2B.txt"
    assert record["s3"]["object"]["versionId"] == "v1"
    assert record["s3"]["object"]["size"] == 4


def test_sequencers_compare_as_text() -> None:
    events = [object_event("b", "r", "ObjectCreated:Put", a_version("k", sequence=n)) for n in (9, 10**18)]
    earlier, later = (event["Records"][0]["s3"]["object"]["sequencer"] for event in events)
    assert earlier < later


def test_only_unknown_changes_are_announced_again() -> None:
    names = ("known", "lost", "replaced", "awaited")
    newest = [a_version(name) for name in names]
    newest += [a_version(name, delete_marker=True) for name in ("deleted", "forgotten")]
    known = {"known": "v1", "replaced": "v0", "awaited": None, "deleted": "v1"}

    records = [event["Records"][0] for event in lost_events("b", "r", newest, known)]

    assert [(record["s3"]["object"]["key"], record["eventName"]) for record in records] == [
        ("lost", "ObjectCreated:Put"),
        ("replaced", "ObjectCreated:Put"),
        ("awaited", "ObjectCreated:Put"),
        ("deleted", "ObjectRemoved:DeleteMarkerCreated"),
    ]
