"""Partitions whose time is over: into the archive, and gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import psycopg
import pytest

from chatsphere.archive.archiving import Archiver
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.chat.titles import title_of
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.privacy.erasing import ErasureJob
from chatsphere.privacy.model import ErasureWork
from chatsphere.privacy.notes import ErasureNotes, Found
from chatsphere.queue_batches import NotNowError
from chatsphere.upkeep.partitions import OLD
from chatsphere.upkeep.retiring import Retiring
from tests.conftest import Tenant
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride
from tests.integration.upkeep.world import FAR, World


class Nothing:
    """Erases nothing, and counts how often."""

    erased = 0

    def erase(self, _notes: ErasureNotes, _work: ErasureWork, _found: Found) -> dict[str, Any]:
        self.erased += 1
        return {}

    def look_once_more(self, _notes: ErasureNotes, _work: ErasureWork) -> dict[str, Any]:
        return {}

    def paused(self, _work: ErasureWork) -> None:
        """Hold nothing."""

    def recheck_after(self, _work: ErasureWork) -> timedelta | None:
        return None


@dataclass
class Retirement(Nothing):
    """Erases while partitions go."""

    world: World

    def erase(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> dict[str, Any]:
        self.world.retire()
        return super().erase(notes, work, found)


class Losing(Archiver):
    """Of what was used, writes the first row alone."""

    def copy(self, rows: Iterable[Row], **about: Any) -> list[ArchiveFile]:
        is_lost = about["dataset"] is DatasetName.USAGE_EVENTS
        return super().copy(islice(rows, 1) if is_lost else rows, **about)


def vars_of(archiver: Archiver) -> list[Any]:
    return [getattr(archiver, name) for name in Archiver.__dataclass_fields__]


def used_long_ago(world: World, rows: int = 3, *, summed: bool = True) -> Tenant:
    """A tenant whose usage events are too old by now."""
    tenant = world.tenant()
    world.use(tenant, rows, summed=summed)
    return tenant


def grow_old(world: World) -> None:
    world.pass_days(world.settings.usage_kept_days + 40)
    world.partitions().make_ahead()


def test_old_usage_goes_into_the_archive_and_its_partition_is_dropped(world: World) -> None:
    # Given events of two tenants, one of them without a bot, and some that are younger
    tenant, other = used_long_ago(world), used_long_ago(world, 2)
    world.as_tenant(other, "UPDATE usage_events SET bot_id = NULL WHERE organization_id = app.current_organization()")
    month = world.clock.now()
    grow_old(world)
    world.use(tenant)
    # When
    done = world.retire()
    # Then
    assert done.dropped >= 1
    assert done.archived_rows >= 5
    assert (world.count(tenant), world.archived(tenant)) == (1, 3)
    assert (world.count(other), world.archived(other)) == (0, 2)
    assert f"usage_events_y{month:%Y}m{month:%m}" not in world.names("usage_events")
    assert world.rows("SELECT 1 FROM pg_class WHERE relnamespace = 'retired'::regnamespace AND relkind = 'r'") == []
    # And again changes nothing
    assert world.retire().dropped == 0
    assert world.archived(tenant) == 3


def test_what_is_held_stays_in_the_table_and_goes_after_its_release(world: World) -> None:
    tenant, other = used_long_ago(world), used_long_ago(world)
    world.hold(tenant)
    grow_old(world)
    assert world.retire().kept_rows >= 3
    # Then nothing took it for new, and nothing moves it while it is held
    assert (world.count(tenant), world.archived(tenant), world.count(other)) == (3, 0, 0)
    assert world.count(tenant, "usage_marks") == 0
    assert world.partitions().make_ahead().moved_rows == 0
    # And when it is released
    world.release(tenant)
    assert world.partitions().make_ahead().moved_rows >= 3
    world.retire()
    assert (world.count(tenant), world.archived(tenant)) == (0, 3)


def test_a_partition_of_which_very_much_is_held_stays_whole(world: World) -> None:
    tenant, other = used_long_ago(world), used_long_ago(world)
    world.hold(tenant)
    grow_old(world)
    # When two held rows may be moved, and there are three
    retiring = Retiring(
        world.maintainer, world.archiver, world.settings, world.clock, OLD, world.waits.append, most_held=2
    )
    done = retiring.retire(FAR)
    # Then it waits for the release
    assert done.waiting >= 1
    assert done.kept_rows == 0
    assert (world.count(tenant), world.count(other)) == (3, 3)
    world.release(tenant)
    world.retire()
    assert (world.count(tenant), world.archived(tenant), world.count(other)) == (0, 3, 0)


def test_rows_that_are_missing_in_the_archive_keep_their_partition_however_often(world: World) -> None:
    # Given an archive that lost rows on their way
    tenant = used_long_ago(world)
    grow_old(world)
    partitions = world.partitions()
    object.__setattr__(partitions, "archiver", Losing(*vars_of(world.archiver)))
    with pytest.raises(UnavailableError):
        partitions.retire(FAR)
    # When the next runs find its files
    for _ in range(2):
        with pytest.raises(UnavailableError):
            world.retire()
    # Then
    assert len(world.rows("SELECT 1 FROM partition_retirements WHERE status = 'detached'")) == 1
    # And all rows are archived when those files are gone
    world.admin.execute("DELETE FROM archive_files WHERE organization_id = %s", (tenant.organization_id,))
    world.retire()
    assert (world.count(tenant), world.archived(tenant)) == (0, 3)


def test_a_partition_that_another_run_lets_go_meanwhile_is_left_to_it(world: World) -> None:
    tenant = used_long_ago(world)
    grow_old(world)
    partitions = world.partitions()

    def retire_meanwhile(_seconds: float) -> None:
        reader.rollback()
        world.retire()

    with psycopg.connect(world.urls.admin) as reader:
        reader.execute("SELECT 1 FROM usage_events_default")
        object.__setattr__(partitions, "wait", retire_meanwhile)
        partitions.retire(FAR)
    assert (world.count(tenant), world.archived(tenant)) == (0, 3)


def test_events_that_are_not_summed_up_keep_their_partition(world: World) -> None:
    tenant = used_long_ago(world, summed=False)
    grow_old(world)
    assert world.retire().waiting == 1
    assert (world.count(tenant), world.archived(tenant)) == (3, 0)
    world.admin.execute("DELETE FROM usage_marks")
    world.retire()
    assert (world.count(tenant), world.archived(tenant)) == (0, 3)


def test_old_messages_go_as_their_tenants_policy_says(world: World) -> None:
    # Given messages that retention left, of a tenant with the default policy and of one that archives nothing
    tenant, other = world.tenant(), world.tenant()
    world.as_tenant(
        other,
        "INSERT INTO retention_policies (id, organization_id, rules, updated_at) VALUES (%s, %s, %s, %s)",
        (world.ids.new(), other.organization_id, '{"message_action": "delete"}', world.clock.now()),
    )
    for author in (tenant, other):
        world.say(author)
        world.say(author, "system")
    # When nobody keeps messages of then any more
    world.pass_days(180)
    world.retire()
    # Then
    assert (world.count(tenant, "messages"), world.archived(tenant, "messages")) == (0, 1)
    assert (world.count(other, "messages"), world.archived(other, "messages")) == (0, 0)
    assert world.count(tenant, "memory_pending") == 0


def test_what_hangs_on_old_messages_goes_as_with_retention(world: World) -> None:
    # Given a rated answer in a conversation that is called as its question
    tenant = world.tenant()
    world.say(tenant)
    world.as_tenant(tenant, "UPDATE conversations SET title = %s", (title_of("Said."),))
    world.as_tenant(
        tenant,
        "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
        " message_created_at, rating, created_at, updated_at) SELECT gen_random_uuid(), organization_id, bot_id,"
        " conversation_id, id, created_at, 5, created_at, created_at FROM messages",
    )
    # When
    world.pass_days(180)
    world.retire()
    # Then nothing of it is lost, and nothing tells of what was said
    assert (world.count(tenant, "conversation_feedback"), world.archived(tenant, "feedback")) == (0, 1)
    query = "SELECT title FROM conversations WHERE organization_id = %s"
    assert world.rows(query, tenant.organization_id) == [{"title": ""}]


def test_messages_that_are_held_when_their_partition_has_left_are_archived_not_deleted(world: World) -> None:
    # Given tenants of which the second deletes, and a run that died when it archived the first's
    tenant, other = sorted((world.tenant(), world.tenant()), key=lambda each: each.organization_id)
    world.as_tenant(
        other,
        "INSERT INTO retention_policies (id, organization_id, rules, updated_at) VALUES (%s, %s, %s, %s)",
        (world.ids.new(), other.organization_id, '{"message_action": "delete"}', world.clock.now()),
    )
    for author in (tenant, other):
        world.say(author)
        world.say(author, "system")
    world.pass_days(180)
    # Nothing but messages is due: what other tests left would be archived first.
    partitions, tripwire = world.partitions(usage_kept_days=36_500, audit_kept_days=36_500), Tripwire()
    object.__setattr__(partitions.archiver, "store", Wired(world.store, tripwire, frozenset({"put", "put_stream"})))
    tripwire.arm(1)
    with pytest.raises(WorkerKilled):
        partitions.retire(FAR)
    # When
    world.hold(other)
    world.pass_days(1)
    world.retire()
    # Then
    assert world.archived(tenant, "messages") == 1
    assert (world.count(other, "messages"), world.archived(other, "messages")) == (0, 2)
    world.release(other)


@pytest.mark.parametrize("kept", ["restored", "held"])
def test_what_was_kept_until_a_moment_ago_is_left_to_the_retention_run_first(world: World, kept: str) -> None:
    # Given messages that came back from the archive for 179 days, or were held for as long
    tenant, ends = world.tenant(), world.clock.now() + timedelta(days=179)
    world.say(tenant)
    if kept == "held":
        world.hold(tenant)
    else:
        world.as_tenant(tenant, "UPDATE conversations SET kept_until = %s", (ends,))
    world.pass_days(179)
    world.release(tenant)
    # Then their partition stays for some days more
    world.pass_days(6)
    world.retire()
    assert world.count(tenant, "messages") == 1
    world.pass_days(2)
    world.retire()
    assert world.count(tenant, "messages") == 0


@pytest.mark.parametrize("kept", ["restored", "held"])
def test_a_message_of_the_month_before_its_conversation_is_kept_with_it(world: World, kept: str) -> None:
    # Given a conversation that began with a month, and a message of a machine whose clock was behind
    tenant, month = world.tenant(), world.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    world.say(tenant, at=month - timedelta(seconds=1))
    world.as_tenant(tenant, "UPDATE conversations SET created_at = %s", (month + timedelta(seconds=1),))
    if kept == "held":
        world.hold(tenant)
    else:
        world.as_tenant(tenant, "UPDATE conversations SET kept_until = %s", (world.clock.now() + timedelta(days=300),))
    # When
    world.pass_days(180)
    world.retire()
    # Then
    assert world.count(tenant, "messages") == 1
    world.release(tenant)


def test_messages_that_somebody_keeps_keep_their_partition(world: World) -> None:
    tenant = world.tenant()
    world.say(tenant)
    world.as_tenant(tenant, "UPDATE conversations SET kept_until = %s", (world.clock.now() + timedelta(days=300),))
    world.pass_days(180)
    world.retire()
    assert world.count(tenant, "messages") == 1
    world.pass_days(180)
    world.retire()
    assert world.count(tenant, "messages") == 0


def test_old_partitions_without_messages_are_dropped_whatever_is_kept(world: World) -> None:
    tenant, month = world.tenant(), world.clock.now()
    world.hold(tenant)
    world.say(tenant)
    world.admin.execute("DELETE FROM messages WHERE organization_id = %s", (tenant.organization_id,))
    world.pass_days(70)
    assert world.retire().dropped_empty >= 1
    assert f"messages_y{month:%Y}m{month:%m}" not in world.names("messages")
    world.release(tenant)


def test_a_run_that_is_killed_at_any_step_is_gone_on_with(world: World) -> None:
    """The same end state whatever the step: every row in the archive once, and none in the table."""
    tripwire, killed, fatal = Tripwire(), True, 1
    while killed:
        tenant = used_long_ago(world, 2)
        grow_old(world)
        partitions = world.partitions()
        archiver = partitions.archiver
        object.__setattr__(
            archiver, "store", Wired(world.store, tripwire, frozenset({"put", "put_stream", "download"}))
        )
        object.__setattr__(partitions, "maintainer_database", WiredDatabase(world.maintainer, tripwire))
        tripwire.arm(fatal)
        try:
            partitions.retire(FAR)
            killed = False
        except WorkerKilled:
            world.pass_days(1)
            world.retire()
        tripwire.disarm()
        assert (world.count(tenant), world.archived(tenant)) == (0, 2), fatal
        assert world.rows("SELECT 1 FROM partition_retirements WHERE status <> 'dropped'") == []
        # Of about 75 steps, for each takes a retirement.
        fatal += crash_stride(25)
    assert fatal > 20


def test_no_erasure_ends_while_rows_are_between_table_and_archive(world: World) -> None:
    # Given a run that died when a partition was detached and not archived yet
    tenant = used_long_ago(world)
    grow_old(world)
    partitions, tripwire = world.partitions(), Tripwire()
    stopped = Wired(world.store, tripwire, frozenset({"put", "put_stream"}))
    object.__setattr__(partitions.archiver, "store", stopped)
    tripwire.arm(1)
    with pytest.raises(WorkerKilled):
        partitions.retire(FAR)
    # When an erasure is to be worked off
    eraser = Database(world.urls.eraser)
    erasure, kinds = world.ids.new(), Nothing()
    world.admin.execute(
        "INSERT INTO erasures (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash,"
        " lease_expires_at) VALUES (%s, 'person', %s, '{}', %s, %s, %s, %s)",
        (erasure, tenant.user_id, tenant.user_id, world.clock.now(), erasure.bytes, world.clock.now()),
    )
    job = ErasureJob(eraser, kinds, kinds, world.clock)
    with pytest.raises(NotNowError):
        job.run(ErasureMessage(erasure_id=erasure))
    assert kinds.erased == 0
    # Then it goes on as soon as the partition is in the archive
    world.pass_days(1)
    world.retire()
    job.run(ErasureMessage(erasure_id=erasure))
    assert kinds.erased == 1
    eraser.close()


def test_no_erasure_ends_when_a_partition_went_meanwhile(world: World) -> None:
    # Given an erasure during which a partition is detached, archived and dropped
    tenant = used_long_ago(world)
    grow_old(world)
    eraser, erasure, kinds = Database(world.urls.eraser), world.ids.new(), Retirement(world)
    world.admin.execute(
        "INSERT INTO erasures (id, kind, subject_id, organizations, requested_by, requested_at, receipt_hash,"
        " lease_expires_at) VALUES (%s, 'person', %s, '{}', %s, %s, %s, %s)",
        (erasure, tenant.user_id, tenant.user_id, world.clock.now(), erasure.bytes, world.clock.now()),
    )
    job = ErasureJob(eraser, kinds, kinds, world.clock)
    # Then its rows may have been where no look was
    with pytest.raises(NotNowError):
        job.run(ErasureMessage(erasure_id=erasure))
    job.run(ErasureMessage(erasure_id=erasure))
    assert kinds.erased == 2
    eraser.close()


def test_a_hold_that_comes_while_a_partition_goes_wins(world: World) -> None:
    tenant = used_long_ago(world)
    grow_old(world)
    partitions = world.partitions()

    def hold_meanwhile(_seconds: float) -> None:
        reader.rollback()
        world.hold(tenant)

    # Given somebody who reads when the partition is first to be detached, and a hold before the next try
    with psycopg.connect(world.urls.admin) as reader:
        reader.execute("SELECT 1 FROM usage_events_default")
        object.__setattr__(partitions, "wait", hold_meanwhile)
        partitions.retire(FAR)
    assert world.count(tenant) == 3
    world.release(tenant)


def test_a_lock_that_cannot_be_had_leaves_everything_as_it_was(world: World) -> None:
    tenant = used_long_ago(world)
    grow_old(world)
    with psycopg.connect(world.urls.admin) as reader:
        reader.execute("SELECT 1 FROM usage_events_default")
        with world.impatient(), pytest.raises(UnavailableError):
            world.retire()
    assert (world.count(tenant), world.archived(tenant)) == (3, 0)
    world.retire()
    assert (world.count(tenant), world.archived(tenant)) == (0, 3)
