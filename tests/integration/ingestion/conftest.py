"""Fixtures of ingestion."""

from collections.abc import Callable, Iterator

import pytest
from psycopg import conninfo

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.integration.ingestion.pipeline import Pipeline
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
def reaper_database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the reaper."""
    database = Database(database_urls.reaper)
    yield database
    database.close()


@pytest.fixture
def make_pipeline(
    database: Database, reaper_database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]
) -> Callable[[], Pipeline]:
    """Return a function that makes a tenant with a bot and its ingestion."""
    return lambda: Pipeline(make_tenant(), database, reaper_database, ids)


@pytest.fixture
def pipeline(make_pipeline: Callable[[], Pipeline]) -> Pipeline:
    """One tenant's ingestion."""
    return make_pipeline()
