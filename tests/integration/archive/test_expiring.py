"""The end of archives."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from chatsphere.archive.expiring import Expired, reschedule
from chatsphere.chat.conversations import delete_conversation
from chatsphere.db.database import Database
from tests.fakes import Version
from tests.integration.archive.world import START, ArchiveWorld
from tests.postgres import DatabaseUrls

HOLD = """
    INSERT INTO legal_holds (id, organization_id, subject, bot_id, conversation_id, end_user_id, reason, made_at)
    VALUES (%(id)s, app.current_organization(), %(subject)s, %(bot_id)s, %(conversation_id)s, %(end_user_id)s, 'x',
            %(now)s)
"""


@pytest.fixture(autouse=True)
def nobody_elses(database_urls: DatabaseUrls) -> None:
    """Take away what other tests archived: the job looks across tenants."""
    with psycopg.connect(database_urls.admin) as admin:
        admin.execute("DELETE FROM archive_files")


def test_files_go_when_their_time_is_over(world: ArchiveWorld, maintainer: Database) -> None:
    world.move(world.talk(), days=10)
    # When it is not over yet
    world.clock.advance(timedelta(days=9, hours=23))
    assert expire(world, maintainer).files == 0
    # When it is
    world.clock.advance(timedelta(hours=1))
    assert expire(world, maintainer) == Expired(files=2)
    # Then no version is left
    assert not world.manifest()
    assert not any(world.store.saved().values())


def test_a_changed_policy_changes_the_end_of_what_is_archived(world: ArchiveWorld, maintainer: Database) -> None:
    world.move(world.talk(), days=10)
    with world.database.transaction(world.tenant.organization_id) as connection:
        assert reschedule(connection, None, bot_id=world.tenant.bot_id) == 2
    world.clock.advance(timedelta(days=4000))
    assert expire(world, maintainer).files == 0
    with world.database.transaction(world.tenant.organization_id) as connection:
        reschedule(connection, 3999, bot_id=world.tenant.bot_id)
    assert expire(world, maintainer).files == 2


def test_a_hold_keeps_files(world: ArchiveWorld, maintainer: Database) -> None:
    # Given two months, in one of them somebody who is held
    held = world.talk("anna")
    world.move(held, days=1)
    world.move(world.talk("bert", at=held.since), days=1)
    world.clock.advance(timedelta(days=2))
    hold(world, "end_user", end_user_id="anna")
    # When
    done = expire(world, maintainer)
    # Then
    assert done == Expired(files=2, held=2)
    assert {row["end_user_id"] for row in world.archived()["messages"]} == {"anna"}
    # When the organization is held, and then nothing
    hold(world, "organization", bot_id=None)
    assert expire(world, maintainer) == Expired(held=2)
    release(world)
    assert expire(world, maintainer) == Expired(files=2)


def test_a_deleted_conversation_leaves_the_archive_too(world: ArchiveWorld, maintainer: Database) -> None:
    # Given a conversation that is archived in part, and another
    batch, organization = world.talk("anna"), world.tenant.organization_id
    world.move(replace(batch, conversations=()), world.talk("bert"))
    # When somebody deletes it, and somebody else of the bot is held
    with world.database.transaction(organization) as connection:
        delete_conversation(connection, organization, batch.conversations[0], world.ids.new(), world.clock.now())
    hold(world, "end_user", end_user_id="carl")
    world.clock.advance(timedelta(hours=7))
    expire(world, maintainer)
    assert len(world.archived()["messages"]) == 4
    # When nobody is held any more
    release(world)
    expire(world, maintainer)
    # Then
    assert [row["end_user_id"] for row in world.archived()["messages"]] == ["bert", "bert"]
    assert not world.leftovers()


def test_a_damaged_file_keeps_nothing_else_from_going(world: ArchiveWorld, maintainer: Database) -> None:
    # Given two deleted conversations, one of them in a file that is damaged, and a file whose time is over
    organization = world.tenant.organization_id
    batches = [world.talk(who, at=START + timedelta(days=31 * month)) for month, who in enumerate(("anna", "bert"))]
    for batch in batches:
        world.move(replace(batch, conversations=()))
    damaged, other = world.manifest()
    world.store.restore({**world.store.saved(), damaged.key: [Version(damaged.version_id, b"something else")]})
    with world.database.transaction(organization) as connection:
        for batch in batches:
            delete_conversation(connection, organization, batch.conversations[0], world.ids.new(), world.clock.now())
    world.move(world.talk("carl", at=START + timedelta(days=62)), days=0)
    world.clock.advance(timedelta(hours=7))
    # When
    assert expire(world, maintainer).files == 2
    # Then
    assert [file.id for file in world.manifest()] == [damaged.id]
    assert not world.store.saved()[other.key]
    # And once the damaged one is over, nothing is left to be done
    with world.database.transaction(organization) as connection:
        reschedule(connection, 1, bot_id=world.tenant.bot_id)
    world.clock.advance(timedelta(days=1))
    assert expire(world, maintainer).files == 1
    with world.database.transaction(organization) as connection:
        assert not connection.execute("SELECT FROM archive_removals").fetchall()


def test_it_ends_at_its_deadline_and_goes_on_with_the_next(world: ArchiveWorld, maintainer: Database) -> None:
    world.move(world.talk(), days=1)
    world.clock.advance(timedelta(days=2))
    assert expire(world, maintainer, deadline=world.clock.now()).complete is False
    assert len(world.manifest()) == 2
    assert expire(world, maintainer).files == 2


def expire(world: ArchiveWorld, maintainer: Database, deadline: datetime | None = None) -> Expired:
    return world.expirer(maintainer).expire(deadline or world.clock.now() + timedelta(minutes=1))


def hold(world: ArchiveWorld, subject: str, **about: UUID | str | None) -> None:
    values = {"bot_id": world.tenant.bot_id, "conversation_id": None, "end_user_id": None} | about
    with world.database.transaction(world.tenant.organization_id) as connection:
        connection.execute(HOLD, values | {"id": world.ids.new(), "subject": subject, "now": world.clock.now()})


def release(world: ArchiveWorld) -> None:
    with world.database.transaction(world.tenant.organization_id) as connection:
        connection.execute("UPDATE legal_holds SET released_at = %s", (world.clock.now(),))
