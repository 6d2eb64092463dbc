"""Taking people and bots out of the archive."""

from datetime import timedelta
from typing import Any

import pytest

from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.datasets import DATASETS, DatasetName
from tests.fakes import Version
from tests.integration.archive.world import START, ArchiveWorld


def test_an_end_user_leaves_only_the_files_that_hold_them(world: ArchiveWorld) -> None:
    # Given two people in one month, another in the next
    world.move(world.talk("anna", rated=True), world.talk("bert", rated=True))
    world.move(world.talk("carl", at=START + timedelta(days=31)))
    others = [row for row in world.archived()["messages"] if row["end_user_id"] != "anna"]
    before = {file.key: file.version_id for file in world.manifest()}
    # When
    organization = world.tenant.organization_id
    assert world.eraser.count(organization, end_user_id="anna") == 4
    assert world.eraser.erase(organization, end_user_id="anna") == 3
    # Then
    assert world.eraser.count(organization, end_user_id="anna") == 0
    assert world.archived()["messages"] == others
    after = {file.key: file.version_id for file in world.manifest()}
    changed = {key for key in before if before[key] != after[key]}
    assert {"month=2026-01" in key for key in changed} == {True}
    assert not world.leftovers()
    # And again: nothing is done
    assert world.eraser.erase(organization, end_user_id="anna") == 0
    assert {file.key: file.version_id for file in world.manifest()} == after


def test_a_file_of_which_nothing_is_left_is_deleted(world: ArchiveWorld) -> None:
    batch = world.talk("anna")
    world.move(batch)
    # When
    assert world.eraser.erase(world.tenant.organization_id, conversation_ids=batch.conversations) == 2
    # Then
    assert not world.manifest()
    assert not any(world.store.saved().values())


def test_a_bot_leaves_and_another_stays(world: ArchiveWorld) -> None:
    organization, other = world.tenant.organization_id, world.ids.new()
    event = usage_event(world)
    world.archiver.copy(
        [event], organization_id=organization, bot_id=other, dataset=DatasetName.USAGE_EVENTS, source="x"
    )
    world.move(world.talk())
    # And something that nobody knows of any more
    world.store.put(f"{world.manifest()[-1].key}.lost", b"x", content_type="", metadata={})
    # When
    assert world.eraser.erase(organization, bot_id=world.tenant.bot_id) == 2
    # Then
    assert world.eraser.count(organization, bot_id=world.tenant.bot_id) == 0
    assert [file.bot_id for file in world.manifest()] == [other]
    assert not world.leftovers()
    # When
    world.eraser.erase(organization)
    # Then
    assert world.eraser.count(organization) == 0
    assert not any(world.store.saved().values())


def test_a_user_is_taken_out_of_what_stays(world: ArchiveWorld) -> None:
    # Given what a member used and did, and what another did
    organization, user, other = world.tenant.organization_id, world.tenant.user_id, world.ids.new()
    entries = [audit_entry(world, user), audit_entry(world, other)]
    owner: dict[str, Any] = {"organization_id": organization, "bot_id": None, "source": "x"}
    world.archiver.copy([usage_event(world)], dataset=DatasetName.USAGE_EVENTS, **owner)
    world.archiver.copy(entries, dataset=DatasetName.AUDIT_LOG, **owner)
    # When
    assert world.eraser.count(organization, user_id=user) == 2
    assert world.eraser.erase(organization, user_id=user) == 2
    # Then
    assert world.eraser.count(organization, user_id=user) == 0
    archived = world.archived()
    assert [(row["user_id"], row["end_user_id"]) for row in archived["usage_events"]] == [(None, "anna")]
    assert archived["audit_log"] == [
        entries[0] | {"address": None, "user_agent": None, "after": '{"prefix": "cs"}'},
        entries[1],
    ]
    # When the end user of the event goes, too
    world.eraser.erase(organization, end_user_id="anna")
    assert [(row["value"], row["end_user_id"]) for row in world.archived()["usage_events"]] == [(1, None)]


def test_a_file_that_somebody_took_away_keeps_nobody_from_being_erased(world: ArchiveWorld) -> None:
    # Given the file of one month taken out of the bucket, and somebody who is in that month and in another
    world.move(world.talk("anna"))
    lost = world.manifest()
    world.move(world.talk("anna", at=START + timedelta(days=31)))
    for file in lost:
        world.store.delete(file.key)
    # When
    organization = world.tenant.organization_id
    assert world.eraser.count(organization, end_user_id="anna") == 3
    assert world.eraser.erase(organization, end_user_id="anna") == 2
    # Then nothing of hers is anywhere, and that the file is gone is not hidden
    assert world.eraser.count(organization, end_user_id="anna") == 0
    assert [file.id for file in world.manifest()] == [file.id for file in lost]


def test_of_a_damaged_file_nobody_says_that_somebody_is_not_in_it(world: ArchiveWorld) -> None:
    world.move(world.talk("anna"))
    file = world.manifest()[0]
    world.store.restore({**world.store.saved(), file.key: [Version(file.version_id, b"something else")]})
    for ask in (world.eraser.count, world.eraser.erase):
        with pytest.raises(ArchiveDamagedError):
            ask(world.tenant.organization_id, end_user_id="anna")
    # An operator who takes it away ends that
    world.store.delete(file.key)
    world.eraser.erase(world.tenant.organization_id, end_user_id="anna")
    assert world.eraser.count(world.tenant.organization_id, end_user_id="anna") == 0


def test_a_file_that_is_written_anew_meanwhile_is_read_again(world: ArchiveWorld) -> None:
    # Given a file as the manifest had it before somebody else was erased from it
    world.move(world.talk("anna"), world.talk("bert"))
    former = next(file for file in world.manifest() if file.dataset is DatasetName.MESSAGES)
    world.eraser.erase(world.tenant.organization_id, end_user_id="bert")
    # Then
    assert world.eraser.read(former, lambda row: row["end_user_id"]) == ["anna", "anna"]


def usage_event(world: ArchiveWorld) -> dict[str, Any]:
    return dict.fromkeys(column.name for column in DATASETS[DatasetName.USAGE_EVENTS].columns) | {
        "id": str(world.ids.new()),
        "user_id": str(world.tenant.user_id),
        "end_user_id": "anna",
        "metric": "chat.answer",
        "value": 1,
        "cost_microdollars": 5,
        "metadata": "{}",
        "created_at": START,
    }


def audit_entry(world: ArchiveWorld, user: Any) -> dict[str, Any]:
    return {
        "id": str(world.ids.new()),
        "actor_user_id": str(user),
        "actor_api_key_id": None,
        "action": "api_key.created",
        "object_type": "api_key",
        "object_id": str(world.ids.new()),
        "address": "192.0.2.1",
        "user_agent": "browser",
        "request_id": None,
        "before": None,
        "after": '{"name": "Anna\'s key", "prefix": "cs"}',
        "created_at": START,
    }
