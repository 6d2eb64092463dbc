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
    world_of_partitions.partitions().make_ahead()
    world_of_partitions.waits.clear()
    return world_of_partitions
