"""The world of the matrix, once for all of its tests."""

from collections.abc import Iterator

import pytest

from tests.integration.matrix.world import World, running_world
from tests.postgres import fresh_database


@pytest.fixture(scope="module")
def world(database_server: str) -> Iterator[World]:
    """A world in a database of its own: the matrix reads and restores all of it."""
    with fresh_database(database_server) as urls, running_world(urls) as world:
        yield world
