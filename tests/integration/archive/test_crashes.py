"""A worker killed at any step, and another that does it again: nothing lost, nothing twice, nothing left over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from chatsphere.archive import model
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import Row
from chatsphere.db.database import Database
from tests.integration.archive.world import START, ArchiveWorld
from tests.integration.ingestion.pipeline import WorkerKilled
from tests.integration.ingestion.tripwire import Tripwire, Wired, WiredDatabase, crash_stride

STORE = frozenset({"put", "download", "delete_versions", "delete_prefix", "delete"})

MakeWorld = Callable[[], ArchiveWorld]


def kill_everywhere(
    make_world: MakeWorld,
    prepare: Callable[[ArchiveWorld], Callable[[], object]],
    check: Callable[[ArchiveWorld], None] = lambda _: None,
) -> int:
    """Run what `prepare` returns in a world of its own for some steps, killed there, checked, and done again. Return
    about how many steps there are. Killed are only the steps after something was done: before the next, nothing else
    has changed.
    """
    for fatal in count(2, 2 * crash_stride(2)):
        world, tripwire = make_world(), Tripwire()
        run = prepare(world)
        database, store = world.database, world.store
        world.database = WiredDatabase(database, tripwire)
        world.store = Wired(store, tripwire, STORE)
        tripwire.arm(fatal)
        try:
            run()
        except WorkerKilled:
            killed = True
        else:
            killed = False
        tripwire.disarm()
        world.database, world.store = database, store
        if not killed:
            return fatal // 2 - 1
        check(world)
        # By now its leases are over.
        world.clock.advance(model.WRITE_LEASE)
        run()
        check(world)
        assert not world.leftovers(), f"killed at step {fatal}"
        assert not world.unfinished()
    raise AssertionError


def test_moving(make_world: MakeWorld) -> None:
    rows = {}

    def prepare(world: ArchiveWorld) -> Callable[[], object]:
        former, batch, run_id = world.talk("bert"), world.talk("anna"), world.ids.new()
        rows[world.tenant] = world.in_database()["messages"]
        # There is a file that rows are put to.
        world.move(replace(former, conversations=()))

        def run() -> None:
            world.archiver.discard_unfinished(world.tenant.organization_id, run_id)
            world.move(replace(batch, conversations=()), run_id=run_id)

        return run

    def check(world: ArchiveWorld) -> None:
        there = [*world.archived()["messages"], *world.in_database()["messages"]]
        assert sorted(there, key=lambda row: row["id"]) == rows[world.tenant]

    assert kill_everywhere(make_world, prepare, check) > 8


def test_copying(make_world: MakeWorld) -> None:
    def prepare(world: ArchiveWorld) -> Callable[[], object]:
        rows = [message_row(world, "anna") for _ in range(2)]

        def run() -> None:
            copy(world, rows, "part")
            world.archiver.discard_unfinished(world.tenant.organization_id)
            assert world.archived()["messages"] == rows

        return run

    assert kill_everywhere(make_world, prepare) > 5


def test_erasing(make_world: MakeWorld) -> None:
    def prepare(world: ArchiveWorld) -> Callable[[], object]:
        kept = message_row(world, "bert")
        copy(world, [message_row(world, "anna"), kept], "january")
        copy(world, [message_row(world, "anna", month=2)], "february")
        organization = world.tenant.organization_id

        def run() -> None:
            world.eraser.erase(organization, end_user_id="anna")
            assert world.eraser.count(organization, end_user_id="anna") == 0
            assert world.archived()["messages"] == [kept]

        return run

    assert kill_everywhere(make_world, prepare) > 12


def test_expiring(make_world: MakeWorld, maintainer: Database) -> None:
    def prepare(world: ArchiveWorld) -> Callable[[], object]:
        copy(world, [message_row(world, "anna")], "part", days=1)
        world.clock.advance(timedelta(days=2))

        def run() -> None:
            world.expirer(maintainer).expire_tenant(world.tenant.organization_id)
            assert not world.manifest()

        return run

    assert kill_everywhere(make_world, prepare) > 4


def test_restoring(make_world: MakeWorld) -> None:
    rows = {}

    def prepare(world: ArchiveWorld) -> Callable[[], object]:
        batch = world.talk()
        rows[world.tenant] = world.in_database()
        world.move(batch)
        message = world.ask_for(conversation_id=batch.conversations[0])

        def run() -> None:
            world.restores.run(message)
            assert world.in_database() == rows[world.tenant]
            restore = world.restore_of(message)
            assert (restore.status, restore.looked_at) == ("done", 3)
            assert dict(restore.restored) == {"conversations": 1, "messages": 2}

        return run

    assert kill_everywhere(make_world, prepare) > 8


def copy(world: ArchiveWorld, rows: list[Row], source: str, *, days: int | None = None) -> None:
    owner = {"organization_id": world.tenant.organization_id, "bot_id": world.tenant.bot_id}
    world.archiver.copy(rows, dataset=DatasetName.MESSAGES, source=source, archive_days=days, **owner)


def message_row(world: ArchiveWorld, end_user: str, *, month: int = 1) -> Row:
    empty: dict[str, Any] = {column.name: None for column in DATASETS[DatasetName.MESSAGES].columns}
    return empty | {
        "id": str(world.ids.new()),
        "conversation_id": str(world.ids.new()),
        "end_user_id": end_user,
        "created_at": START.replace(month=month),
    }
