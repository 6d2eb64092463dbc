"""Fixtures of people's rights."""

from collections.abc import Iterator

import psycopg
import pytest

from chatsphere.db.database import Database
from tests.builders.running_api import FakeQueue, running_api
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.integration.ingestion.conftest import database, make_pipeline, reaper_database
from tests.integration.own_database import database_urls
from tests.integration.privacy.world import World
from tests.postgres import DatabaseUrls


@pytest.fixture
def world(database_urls: DatabaseUrls) -> Iterator[World]:
    """The API with everything that an erasure touches."""
    with (
        running_api(database_urls, DEFAULT_PLAN="Pro") as api,
        psycopg.connect(database_urls.admin, autocommit=True) as admin,
    ):
        objects = InMemoryObjectStore(FixedClock(api.clock.now()))
        vars(api.container).update(object_store=objects, embed_queue=FakeQueue())
        yield World(api, objects, admin)


@pytest.fixture
def eraser_database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the eraser."""
    database = Database(database_urls.eraser)
    yield database
    database.close()


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Who sees every row."""
    with psycopg.connect(database_urls.admin, autocommit=True) as connection:
        yield connection


__all__ = ["database", "database_urls", "make_pipeline", "reaper_database", "world"]
