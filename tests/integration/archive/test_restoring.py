"""Bringing rows back."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chatsphere.archive.datasets import DatasetName
from chatsphere.chat.conversations import delete_conversation
from chatsphere.errors import InvalidRequestError, NotFoundError
from tests.fakes import Version
from tests.integration.archive.test_erasing import usage_event
from tests.integration.archive.world import HOSTILE, START, ArchiveWorld

WAYS = ["files", "month", "conversation"]


@pytest.mark.parametrize("way", WAYS)
def test_rows_come_back_as_they_were(world: ArchiveWorld, way: str) -> None:
    # Given
    batch = world.talk(messages=[HOSTILE, "", "x" * 100_000], rated=True)
    before = world.in_database()
    world.move(batch)
    ways: dict[str, dict[str, Any]] = {
        "files": {"file_ids": [file.id for file in world.manifest()]},
        "month": {"bot_id": world.tenant.bot_id, "month": date(2026, 1, 1)},
        "conversation": {"conversation_id": batch.conversations[0]},
    }
    wanted = ways[way]
    # When
    message = world.ask_for(**wanted)
    world.restores.run(message)
    # Then
    assert world.in_database() == before
    restore = world.restore_of(message)
    assert (restore.status, dict(restore.restored)) == ("done", {"conversations": 1, "messages": 3, "feedback": 1})
    assert restore.looked_at == 5
    # And the files stay, marked; the conversation is kept for a while
    assert all(file.restored_at for file in world.manifest())
    assert world.archived() == before
    assert kept_until(world) == [world.clock.now() + timedelta(days=30)]
    # When it is asked for again
    again = world.ask_for(**wanted)
    world.clock.advance(timedelta(days=1))
    world.restores.run(again)
    # Then nothing changes
    assert world.in_database() == before
    assert sum(world.restore_of(again).restored.values()) == 0
    assert kept_until(world) == [world.clock.now() + timedelta(days=29)]


def test_messages_bring_their_conversation(world: ArchiveWorld) -> None:
    batch = world.talk(at=START - timedelta(seconds=1), messages=["a"])
    other = world.talk(at=START)
    before = world.in_database()
    world.move(batch, other)
    messages = [file.id for file in world.manifest() if file.dataset is DatasetName.MESSAGES]
    # When
    world.restores.run(world.ask_for(file_ids=messages))
    # Then
    assert world.in_database() == before


def test_what_is_archived_again_is_in_one_file(world: ArchiveWorld) -> None:
    # Given a conversation that came back and went on
    batch = world.talk()
    world.move(batch, world.talk("bert"))
    world.restores.run(world.ask_for(conversation_id=batch.conversations[0]))
    with world.database.transaction(world.tenant.organization_id) as connection:
        connection.execute("UPDATE conversations SET title = 'Went on' WHERE id = %s", (batch.conversations[0],))
    # When, by now into another file
    world.clock.advance(timedelta(days=40))
    world.move(batch)
    # Then
    archived = world.archived()
    assert len(archived["messages"]) == 4
    assert [row["title"] for row in archived["conversations"]] == ["Went on", HOSTILE]
    assert not world.leftovers()


def test_what_was_deleted_after_it_came_back_stays_away(world: ArchiveWorld) -> None:
    # Given a conversation that came back, and was deleted by somebody; the daily run has not been there yet
    batch, organization = world.talk(rated=True), world.tenant.organization_id
    world.move(batch)
    world.restores.run(world.ask_for(conversation_id=batch.conversations[0]))
    with world.database.transaction(organization) as connection:
        delete_conversation(connection, organization, batch.conversations[0], world.ids.new(), world.clock.now())
    # When
    world.restores.run(world.ask_for(bot_id=world.tenant.bot_id, month=date(2026, 1, 1)))
    # Then
    assert not any(world.in_database().values())


def test_a_damaged_file_that_rows_came_back_from_keeps_nothing_from_being_archived(world: ArchiveWorld) -> None:
    # Given
    batch = world.talk("anna")
    world.move(batch)
    world.restores.run(world.ask_for(conversation_id=batch.conversations[0]))
    for file in world.manifest():
        world.store.restore({**world.store.saved(), file.key: [Version(file.version_id, b"something else")]})
    damaged = {file.id for file in world.manifest()}
    # When
    files = world.move(batch)
    # Then
    assert damaged.isdisjoint(file.id for file in files)
    assert sum(file.rows for file in files) == 3
    assert world.in_database()["messages"] == []


def test_nothing_comes_back_to_a_bot_that_is_gone(world: ArchiveWorld) -> None:
    batch = world.talk()
    world.move(batch)
    with world.database.transaction(world.tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET status = 'deleting'")
    message = world.ask_for(conversation_id=batch.conversations[0])
    # When
    world.restores.run(message)
    # Then
    assert not any(world.in_database().values())
    assert dict(world.restore_of(message).restored) == {}
    with pytest.raises(NotFoundError):
        world.ask_for(bot_id=world.tenant.bot_id, month=date(2026, 1, 1))


def test_logs_do_not_come_back(world: ArchiveWorld) -> None:
    world.archiver.copy(
        [usage_event(world)],
        organization_id=world.tenant.organization_id,
        bot_id=world.tenant.bot_id,
        dataset=DatasetName.USAGE_EVENTS,
        source="x",
    )
    with pytest.raises(InvalidRequestError):
        world.ask_for(file_ids=[world.manifest()[0].id])


def test_who_is_erased_while_rows_come_back_does_not_come_back(world: ArchiveWorld) -> None:
    # Given two people, and a restore that has read their rows
    world.move(world.talk("anna"), world.talk("bert"))
    message = world.ask_for(bot_id=world.tenant.bot_id, month=date(2026, 1, 1))
    read = world.files.read
    erased: list[int] = []

    def read_and_erase(source: Path, columns: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        rows = list(read(source, columns))
        if not erased:
            erased.append(0)
            erased.append(world.eraser.erase(world.tenant.organization_id, end_user_id="anna"))
        return iter(rows)

    world.files.read = read_and_erase  # type: ignore[method-assign]
    # When
    world.restores.run(message)
    # Then
    assert erased == [0, 2]
    assert {row["end_user_id"] for row in world.in_database()["messages"]} == {"bert"}
    assert world.restore_of(message).status == "done"


def test_a_damaged_file_ends_the_restore(world: ArchiveWorld) -> None:
    batch = world.talk()
    world.move(batch)
    message = world.ask_for(conversation_id=batch.conversations[0])
    for key in list(world.store.saved()):
        world.store.delete(key)
    # When
    world.restores.run(message)
    # Then
    restore = world.restore_of(message)
    assert (restore.status, restore.error_code) == ("failed", "archive_damaged")


def kept_until(world: ArchiveWorld) -> list[Any]:
    with world.database.transaction(world.tenant.organization_id) as connection:
        return [row["kept_until"] for row in connection.execute("SELECT kept_until FROM conversations")]
