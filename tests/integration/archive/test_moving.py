"""Moving and copying rows into the archive."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chatsphere.archive import model
from chatsphere.archive.archiving import ConversationUsedError
from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import ArchiveBatch, Place
from chatsphere.archive.places import PlaceTakenError
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.objects import StoredObject
from tests.fakes import Version
from tests.integration.archive.world import HOSTILE, START, ArchiveWorld, delete_rows

Harm = Callable[[bytes], bytes | None]


def test_rows_come_out_of_the_archive_as_they_were(world: ArchiveWorld) -> None:
    # Given rows of hostile contents in two months
    batches = [
        world.talk("anna", messages=[HOSTILE, "y" * 1_000_000, ""], rated=True),
        world.talk(None, messages=["'; DROP TABLE messages"], at=START + timedelta(days=31)),
    ]
    before = world.in_database()
    # When
    files = world.move(*batches)
    # Then
    assert world.archived() == before
    assert not any(world.in_database().values())
    assert {(file.dataset.value, f"{file.month:%Y-%m}", file.rows) for file in files} == {
        ("conversations", "2026-01", 1),
        ("conversations", "2026-02", 1),
        ("messages", "2026-01", 3),
        ("messages", "2026-02", 1),
        ("feedback", "2026-01", 1),
    }
    assert not world.leftovers()
    assert not world.unfinished()


def test_another_run_puts_its_rows_to_the_small_file_for_a_month(world: ArchiveWorld) -> None:
    batches = [world.talk() for _ in range(4)]
    rows = world.in_database()
    # When
    for batch in batches[:3]:
        world.move(batch, days=10)
    # Then
    assert [(file.dataset.value, file.rows) for file in world.manifest()] == [("conversations", 3), ("messages", 6)]
    # When the file was begun so long ago that what is in it should not wait for what comes now
    world.clock.advance(model.MERGE_WINDOW)
    world.move(batches[3], days=10)
    # Then
    assert sorted(file.rows for file in world.manifest()) == [1, 2, 3, 6]
    assert world.archived() == rows
    assert not world.leftovers()


def test_files_are_bounded(world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsphere.archive.parts.FILE_ROWS", 4)
    monkeypatch.setattr("chatsphere.archive.parts.FILE_BYTES", 3000)
    monkeypatch.setattr("chatsphere.archive.spooling.HELD_CHARS", 2000)
    batches = [world.talk(messages=["a"] * 9), world.talk(messages=["b" * 3000] * 3)]
    rows = world.in_database()
    # When
    for batch in batches:
        world.move(batch)
    # Then
    assert world.archived() == rows
    assert all(file.rows <= 4 for file in world.manifest())
    assert not world.leftovers()


def test_what_changes_meanwhile_is_moved_as_it_is_then(world: ArchiveWorld) -> None:
    batch = world.talk()
    changes = iter([change_title, add_message])
    # When somebody changes the conversation after it was read, twice
    world.files.write = before_each(world.files.write, lambda: next(changes, lambda *_: None)(world, batch))  # type: ignore[method-assign]
    world.move(batch)
    # Then what was written is what was deleted
    archived = world.archived()
    assert [row["title"] for row in archived["conversations"]] == ["Changed"]
    assert not world.in_database()["conversations"]
    assert not world.leftovers()


def test_what_changes_all_the_time_stays(world: ArchiveWorld) -> None:
    batch = world.talk()
    world.files.write = before_each(world.files.write, lambda: change_title(world, batch))  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        world.move(batch)
    # Then
    assert len(world.in_database()["messages"]) == 2
    assert not world.manifest()
    assert not world.leftovers()


def test_a_conversation_that_was_used_since_is_refused(world: ArchiveWorld) -> None:
    batch = world.talk()
    idle = replace(batch, idle_since=START - timedelta(seconds=1))
    with pytest.raises(ConversationUsedError):
        world.move(idle)
    assert not world.manifest()


def test_what_deletes_may_call_it_off(world: ArchiveWorld) -> None:
    batch, run_id = world.talk(), world.ids.new()

    def refuse(connection: Connection) -> None:
        delete_rows(connection, batch)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        world.archiver.move(batch, run_id=run_id, part=0, delete=refuse)
    # Then nothing was deleted, and the next try removes what was written
    assert len(world.in_database()["messages"]) == 2
    assert not world.manifest()
    assert world.archiver.discard_unfinished(world.tenant.organization_id, run_id) == 2
    assert not world.leftovers()
    assert not world.unfinished()


@pytest.mark.parametrize("harm", [lambda body: body[:-1] + b"x", lambda body: b"", lambda _: None])
def test_nothing_is_deleted_unless_the_bucket_holds_it(world: ArchiveWorld, harm: Harm) -> None:
    # Given a bucket that keeps something else than what it is given, or nothing
    batch, put = world.talk(), world.store.put

    def put_badly(key: str, body: bytes, **about: Any) -> StoredObject:
        stored: StoredObject = put(key, harm(body) or b"", **about)
        if harm(body) is None:
            world.store.delete(key)
        return stored

    world.store.put = put_badly
    with pytest.raises(UnavailableError):
        world.move(batch)
    # Then
    assert len(world.in_database()["messages"]) == 2
    assert not world.manifest()


def test_two_writers_do_not_write_at_one_place(world: ArchiveWorld) -> None:
    first, second = world.talk(), world.talk()

    with pytest.raises(RuntimeError):
        world.archiver.move(first, run_id=world.ids.new(), part=0, delete=fail)
    # When the first writer is still there, for all that anybody knows
    with pytest.raises(PlaceTakenError):
        world.move(second)
    # Then the second goes on when its lease is over, and nothing of the first one's is left
    world.clock.advance(model.WRITE_LEASE)
    world.move(second)
    assert [file.rows for file in world.manifest()] == [1, 2]
    assert not world.leftovers()


def test_a_file_that_ends_while_rows_are_put_to_it_takes_none(world: ArchiveWorld, maintainer: Database) -> None:
    world.move(world.talk(), days=1)
    world.clock.advance(timedelta(days=2))
    batch, run_id = world.talk(), world.ids.new()

    def end() -> None:
        world.expirer(maintainer).expire_tenant(world.tenant.organization_id)

    # When its time is over, and it is deleted while somebody writes it anew
    world.files.write = before_each(world.files.write, end)  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        world.move(batch, run_id=run_id)
    # Then nothing was deleted for its sake, and nothing of it is left
    assert len(world.in_database()["messages"]) == 2
    world.archiver.discard_unfinished(world.tenant.organization_id, run_id)
    assert not world.manifest()
    assert not world.leftovers()


def test_a_dead_writers_place_is_taken_over_once(world: ArchiveWorld) -> None:
    # Given a dead writer's claim, which somebody found who is to tidy up
    batch = world.talk()
    with pytest.raises(RuntimeError):
        world.archiver.move(batch, run_id=world.ids.new(), part=0, delete=fail)
    world.clock.advance(model.WRITE_LEASE)
    with world.database.transaction(world.tenant.organization_id) as connection:
        dead = connection.execute("SELECT * FROM archive_writes WHERE dataset = 'messages'").fetchone()
    place = Place(world.tenant.organization_id, dead["bot_id"], DatasetName.MESSAGES, dead["month"])

    def tidy() -> None:
        with pytest.raises(PlaceTakenError):
            world.archiver.places.claim([place], former=dead["id"])

    # When another writes there by then
    world.files.write = before_each(world.files.write, tidy)  # type: ignore[method-assign]
    world.move(batch)
    # Then what it put was left alone, and what the dead one had put is gone
    assert len(world.archived()["messages"]) == 2
    assert not world.leftovers()


def test_a_damaged_file_is_told_and_left_alone(world: ArchiveWorld) -> None:
    world.move(world.talk())
    damaged = next(file for file in world.manifest() if file.dataset is DatasetName.MESSAGES)
    stored = world.store.saved()
    world.store.restore({**stored, damaged.key: [Version(damaged.version_id, b"something else")]})
    # When more is archived
    world.move(world.talk())
    # Then it is in a file of its own
    assert len([file for file in world.manifest() if file.dataset is DatasetName.MESSAGES]) == 2
    with pytest.raises(ArchiveDamagedError):
        world.eraser.erase(world.tenant.organization_id, end_user_id="anna")


def test_a_part_is_copied_once(world: ArchiveWorld) -> None:
    world.talk(messages=["x"] * 5)
    rows = world.in_database()["messages"]
    owner: dict[str, Any] = {"organization_id": world.tenant.organization_id, "bot_id": world.tenant.bot_id}
    # When
    for source in ("messages_y2026m01:0", "messages_y2026m01:0", "messages_y2026m01:1"):
        part = rows[:3] if source.endswith("0") else rows[3:]
        copied = world.archiver.copy(part, dataset=DatasetName.MESSAGES, source=source, **owner)
        assert [file.dataset for file in copied] == [DatasetName.MESSAGES]
    # Then
    assert world.archived()["messages"] == rows
    assert [file.rows for file in world.manifest()] == [5]


def test_duckdb_counts_what_was_archived(world: ArchiveWorld, tmp_path: Path) -> None:
    batches = [world.talk(messages=["x"] * 3), world.talk(at=START + timedelta(days=40))]
    world.move(*batches)
    for key, versions in world.store.saved().items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(versions[-1].body)
    # When
    connection = duckdb.connect()
    found = connection.execute(
        f"SELECT organization_id, bot_id, month, count(*) FROM read_parquet("
        f"'{tmp_path}/archive/v1/messages/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY month"
    ).fetchall()
    # Then
    owner = (str(world.tenant.organization_id), str(world.tenant.bot_id))
    assert found == [(*owner, "2026-01", 3), (*owner, "2026-02", 2)]
    types = connection.execute(f"DESCRIBE SELECT * FROM '{tmp_path}/archive/v1/messages/**/*.parquet'").fetchall()
    names = [column.name for column in DATASETS[DatasetName.MESSAGES].columns]
    assert [row[0] for row in types][: len(names)] == names
    assert {row[1] for row in types[: len(names)]} == {"VARCHAR", "BIGINT", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"}


def fail(_connection: Connection) -> None:
    raise RuntimeError


def before_each(function: Callable[..., Any], happen: Callable[[], None]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        happen()
        return function(*arguments, **named)

    return wrapped


def change_title(world: ArchiveWorld, batch: ArchiveBatch) -> None:
    with world.database.transaction(batch.organization_id) as connection:
        connection.execute("UPDATE conversations SET title = 'Changed' WHERE id = %s", (batch.conversations[0],))


def add_message(world: ArchiveWorld, batch: ArchiveBatch) -> None:
    with world.database.transaction(batch.organization_id) as connection:
        connection.execute(
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%s, %s, %s, %s, 'user', 'More', %s)",
            (world.ids.new(), batch.organization_id, batch.bot_id, batch.conversations[0], START),
        )
