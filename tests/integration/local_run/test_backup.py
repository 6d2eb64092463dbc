"""Backups of a home: what is in them, and what is refused. That a restored home answers: tests/e2e/test_backup.py."""

import gzip
import json
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from chatsphere.cli.errors import UsageError
from infra.local.backup import cli, database, restoring
from infra.local.backup import writing as writing_module
from infra.local.backup.errors import BackupError, DamagedBackupError, HomeNotEmptyError, NewerBackupError
from infra.local.backup.format import DUMP, Manifest
from infra.local.backup.objects import LinkedObjects
from infra.local.backup.reading import read
from infra.local.backup.rotation import drop_old, drop_unfinished, target_for
from infra.local.backup.writing import writing
from infra.local.errors import HalfRestoredError, HomeInUseError
from infra.local.home import Home
from infra.local.object_mirror import ObjectMirror, StoredVersion

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def manifest(revision: str = "0001") -> Manifest:
    return Manifest("2026-01-01T00:00:00+00:00", "0.1.0", revision, "16", {"documents": 1})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A backup of next to nothing."""
    content = tmp_path / "content"
    content.write_bytes(b"what is kept" * 1000)
    target = tmp_path / "backup.tar.gz"
    with writing(target, NOW) as writer:
        for name in (DUMP, "objects/ab/abc/v1.data", "objects/ab/abc/v1.json", "home/secrets.json"):
            writer.add(name, content)
        writer.finish(manifest())
    return target


def test_a_backup_is_its_owners_alone_and_reads_as_it_was_written(written: Path) -> None:
    received: dict[str, bytes] = {}
    described = read(written, lambda name, blocks: received.update({name: b"".join(blocks)}))
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert set(received.values()) == {b"what is kept" * 1000}
    assert list(received) == [DUMP, "objects/ab/abc/v1.data", "objects/ab/abc/v1.json", "home/secrets.json"]
    assert (described.schema_revision, described.counts) == ("0001", {"documents": 1})
    assert not list(written.parent.glob("*.partial"))


def test_nothing_is_left_of_a_backup_that_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writing(tmp_path / "b.tar.gz", NOW):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_damaged_anywhere_is_noticed(written: Path, tmp_path: Path) -> None:
    whole = gzip.decompress(written.read_bytes())
    damaged = tmp_path / "damaged.tar.gz"
    places = [600, 700, 13_500, 40_000, len(whole) - 12_000]
    for place in places:
        damaged.write_bytes(gzip.compress(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], 1))
        with pytest.raises(DamagedBackupError):
            read(damaged)
    for content in (b"", b"no backup", written.read_bytes()[:300], gzip.compress(whole[:20_000])):
        damaged.write_bytes(content)
        with pytest.raises(DamagedBackupError):
            read(damaged)


def test_a_manifest_that_is_damaged_and_can_be_read_is_noticed(written: Path, tmp_path: Path) -> None:
    whole = written.read_bytes()
    described = gzip.decompress(whole).replace(b'"release": "0.1.0"', b'"release": "0.1.1"')
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(gzip.compress(described, 1)[:-8] + whole[-8:])
    with pytest.raises(DamagedBackupError, match="CRC"):
        read(damaged)
    damaged.write_bytes(whole[:-1])
    with pytest.raises(DamagedBackupError, match="ended"):
        read(damaged)


def test_what_cannot_be_read_back_takes_no_ones_place(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written.read_bytes()

    def disk_lies(_: Path) -> Manifest:
        raise DamagedBackupError

    monkeypatch.setattr(writing_module, "read", disk_lies)
    with pytest.raises(DamagedBackupError), writing(written, NOW, verify=True) as writer:
        writer.finish(manifest())
    assert written.read_bytes() == before
    assert not list(written.parent.glob("*.partial"))


def test_a_file_is_written_by_one_backup_at_a_time(written: Path) -> None:
    with writing(written, NOW) as writer:
        with pytest.raises(BackupError, match="another backup"), writing(written, NOW):
            pass
        writer.finish(manifest())
    assert read(written).schema_revision == "0001"


def test_a_file_that_was_there_already_is_for_its_owner_alone(tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    (tmp_path / "b.tar.gz.partial").touch(0o666)
    with writing(target, NOW) as writer:
        writer.finish(manifest())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_killed_backups_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    # Given what is left of a backup that was killed, one under way, and somebody else's download
    killed, others = tmp_path / "chatsphere-1.tar.gz.partial", tmp_path / "other.tar.gz.partial"
    for path in (killed, others):
        path.write_text("secrets")
    with writing(tmp_path / "chatsphere-2.tar.gz", NOW) as writer:
        # When
        drop_unfinished(tmp_path)
        writer.finish(manifest())
    # Then
    assert sorted(tmp_path.iterdir()) == [tmp_path / "chatsphere-2.tar.gz", others]


@pytest.mark.parametrize("name", ["../outside", "home/../../outside", "/etc/passwd", "home/other", "objects"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    content = tmp_path / "content"
    content.write_bytes(b"x")
    with writing(tmp_path / "b.tar.gz", NOW) as writer:
        writer.add(name, content)
        writer.finish(manifest())
    with pytest.raises(DamagedBackupError, match="belongs nowhere"):
        read(tmp_path / "b.tar.gz")


def test_a_link_is_no_member(tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("home/secrets.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(DamagedBackupError, match="no file"):
        read(path)


def test_what_a_later_release_made_is_refused_in_words(written: Path, tmp_path: Path) -> None:
    # A later schema
    content = tmp_path / "content"
    with writing(tmp_path / "later.tar.gz", NOW) as writer:
        writer.add(DUMP, content)
        writer.finish(manifest(revision="9999"))
    with pytest.raises(NewerBackupError, match="a later one"):
        restoring.restore(tmp_path / "later.tar.gz", Home(tmp_path / "home"))
    assert not (tmp_path / "home").exists()
    # A later format
    described = json.dumps({"format": "chatsphere-backup", "version": 2, "more": 1}).encode()
    with pytest.raises(NewerBackupError, match="format 2"):
        Manifest.read(described)


def test_a_home_that_is_not_empty_or_runs_is_left_alone(written: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "token_keys.json").write_text("somebody's")
    with pytest.raises(HomeNotEmptyError):
        restoring.restore(written, home)
    with home.held(), pytest.raises(HomeInUseError):
        restoring.restore(written, home, force=True)
    assert (home.root / "token_keys.json").read_text() == "somebody's"


def test_a_restore_that_is_cut_short_says_so_and_begins_again(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a home with something in it, and no PostgreSQL to wait for
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "token_keys.json").write_text("somebody's")
    restored: list[bytes] = []
    monkeypatch.setattr(restoring, "started", _no_server)
    monkeypatch.setattr(database, "restore", lambda _url, dump, _roles: restored.append(dump.read_bytes()))
    # When it is cut short
    write = restoring._write

    def killed(path: Path, blocks: Iterator[bytes]) -> None:
        if path.name == "v1.json":
            raise KeyboardInterrupt
        write(path, blocks)

    monkeypatch.setattr(restoring, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        restoring.restore(written, home, force=True)
    # Then nothing starts in it
    with pytest.raises(HalfRestoredError, match="half restored"), home.locked():
        pass
    # When it is done again
    monkeypatch.setattr(restoring, "_write", write)
    restoring.restore(written, home)
    # Then all of it is there, and what was there before is put aside
    assert restored == [b"what is kept" * 1000]
    assert (home.objects / "ab/abc/v1.json").exists()
    (former,) = home.root.glob("former-*")
    assert (former / "token_keys.json").read_text() == "somebody's"
    with home.locked():
        pass


@pytest.mark.parametrize("moved", [0, 1])
def test_a_restore_that_is_cut_short_while_it_puts_things_aside_loses_none_of_them(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    # Given a home with two things in it, and the backup
    home = Home(tmp_path / "home")
    home.root.mkdir()
    for name in ("token_keys.json", "demo.json"):
        (home.root / name).write_text("somebody's")
    backup = written.rename(home.root / "mine.tar.gz")
    # When the restore is killed before one of them is moved
    rename, left = Path.rename, moved

    def killed(path: Path, target: Path) -> Path:
        nonlocal left
        if path.parent == home.root and "former-" in str(target):
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        restoring.restore(backup, home, force=True)
    # Then nothing starts over the other half
    with pytest.raises(HalfRestoredError), home.locked():
        pass
    # When it is done again
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(restoring, "started", _no_server)
    monkeypatch.setattr(database, "restore", lambda _url, _dump, _roles: None)
    restoring.restore(backup, home)
    # Then
    (former,) = home.root.glob("former-*")
    assert {path.name: path.read_text() for path in former.iterdir()} == {
        "token_keys.json": "somebody's", "demo.json": "somebody's",
    }  # fmt: skip
    assert read(backup).counts == {"documents": 1}


@contextmanager
def _no_server(_: Home) -> Iterator[str]:
    yield "postgresql://nobody"


def test_the_newest_backups_are_kept(tmp_path: Path) -> None:
    # Given five daily backups, and a file of somebody else's
    made = [target_for(Home(tmp_path), tmp_path, NOW + timedelta(days=day)) for day in range(5)]
    for path in (*made, tmp_path / "notes.tar.gz"):
        path.touch()
    # When
    assert sorted(drop_old(tmp_path, 2)) == made[:3]
    # Then
    assert sorted(tmp_path.iterdir()) == [*made[3:], tmp_path / "notes.tar.gz"]
    assert target_for(Home(tmp_path), tmp_path / "b.tar.gz") == tmp_path / "b.tar.gz"


def test_a_folder_to_keep_backups_in_need_not_be_there_and_a_file_is_none(tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert target_for(Home(tmp_path), new, NOW, is_folder=cli._names_folder(str(new), 7)).parent == new
    assert target_for(Home(tmp_path), new, NOW, is_folder=cli._names_folder(f"{new}/", None)).parent == new
    assert target_for(Home(tmp_path), new, NOW, is_folder=cli._names_folder(str(new), None)) == new
    with pytest.raises(UsageError, match="--keep"):
        cli._names_folder("now.tar.gz", 7)


def test_to_verify_is_not_to_write_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="Name one file"):
        cli.backup(None, "verify")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tables(database_server: str) -> Iterator[psycopg.Connection]:
    """What of the database tells which objects there are, for this connection only."""
    with psycopg.connect(database_server) as connection:
        connection.execute(
            "CREATE TEMP TABLE documents (s3_key text, s3_version_id text, etag text, live_etag text, status text)"
        )
        connection.execute("CREATE TEMP TABLE archive_files (key text, version_id text, status text)")
        yield connection


def test_a_backup_has_what_its_snapshot_refers_to_and_nothing_that_was_deleted_before_it(
    tables: psycopg.Connection, tmp_path: Path
) -> None:
    """Uploads and deletions come between any two steps."""
    home = Home(tmp_path / "home")
    mirror, archive = ObjectMirror(home.objects), ObjectMirror(home.archived)
    home.objects.mkdir(parents=True)
    home.archived.mkdir()

    def upload(key: str) -> None:
        mirror.put(_version(key), b"content")
        values = (key, "v1", "etag", "etag", "ready")
        tables.execute("INSERT INTO documents VALUES (%s, %s, %s, %s, %s)", values)

    def delete(key: str) -> None:
        mirror.remove(key, "v1")
        tables.execute("DELETE FROM documents WHERE s3_key = %s", (key,))

    linked = LinkedObjects(home, tmp_path / "links")
    for key in ("stays", "deleted before", "deleted after"):
        upload(key)
    archive.put(_version("archive/file"), b"rows")
    tables.execute("INSERT INTO archive_files VALUES ('archive/file', 'v1', 'complete')")
    # When one is deleted, and another uploaded, before the snapshot
    linked.link()
    delete("deleted before")
    upload("uploaded before")
    # And after it one is deleted that it refers to, and one uploaded that it does not know
    mirror.remove("deleted after", "v1")
    mirror.put(_version("uploaded after"), b"content")
    linked.link()
    linked.prune(tables)
    # Then
    assert linked.missing(tables) == []
    assert _keys(linked) == {"stays", "deleted after", "uploaded before", "uploaded after", "archive/file"}
    # When one came, was registered and went between two looks, the snapshot is not taken
    upload("came and went")
    mirror.remove("came and went", "v1")
    linked.link()
    assert linked.missing(tables) == ["came and went"]


def _version(key: str) -> StoredVersion:
    return StoredVersion(key, "v1", 1, "2026-01-01T00:00:00+00:00", size=7, etag="etag")


def _keys(linked: LinkedObjects) -> set[str]:
    files = dict(linked.files())
    described = [path for name, path in files.items() if name.endswith(".json")]
    assert all(path.with_suffix(".data").exists() for path in described)
    return {json.loads(path.read_bytes())["key"] for path in described}
