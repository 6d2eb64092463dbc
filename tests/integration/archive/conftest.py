"""Fixtures of the archive."""

from collections.abc import Callable, Iterator

import pytest
from psycopg import conninfo

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.integration.archive.world import ArchiveWorld
from tests.integration.own_database import database_urls
from tests.postgres import DatabaseUrls

__all__ = ["database_urls"]


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the application's role; commits do not wait for the disk, for there are many."""
    database = Database(conninfo.make_conninfo(database_urls.app, options="-c synchronous_commit=off"))
    yield database
    database.close()


@pytest.fixture
def make_world(database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]) -> Callable[[], ArchiveWorld]:
    """Return a function that makes a tenant with an archive."""
    return lambda: ArchiveWorld(make_tenant(), database, ids)


@pytest.fixture
def world(make_world: Callable[[], ArchiveWorld]) -> ArchiveWorld:
    """One tenant with an archive."""
    return make_world()


@pytest.fixture
def maintainer(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the maintainer."""
    database = Database(database_urls.maintainer)
    yield database
    database.close()
