"""One world of partitions for all of these tests of a process: time only goes forward in it."""

from collections.abc import Iterator

import pytest

from tests.integration.upkeep.world import START, World, running_world


@pytest.fixture(scope="session")
def world_of_partitions(database_server: str) -> Iterator[World]:
    """A database of its own."""
    with running_world(database_server) as world:
        yield world


@pytest.fixture
def world(world_of_partitions: World) -> World:
    """The same in another March, with its partitions."""
    now = world_of_partitions.clock.now()
    world_of_partitions.clock.advance(START.replace(year=now.year + 1) - now)
    # Holds keep partitions of all tenants: those of a test that failed must not make others fail.
    world_of_partitions.admin.execute("UPDATE legal_holds SET released_at = made_at WHERE released_at IS NULL")
    world_of_partitions.partitions().make_ahead()
    world_of_partitions.waits.clear()
    return world_of_partitions
