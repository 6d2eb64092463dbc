"""Fixtures of the history: ingestion in this process, and a client of its stream."""

from collections.abc import Callable, Iterator

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.integration.history.stream_client import StreamClient
from tests.integration.ingestion.conftest import database, make_pipeline, pipeline, reaper_database
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.own_database import database_urls
from tests.postgres import DatabaseUrls

__all__ = ["database", "database_urls", "make_pipeline", "pipeline", "reaper_database"]


@pytest.fixture
def watching(database_urls: DatabaseUrls, ids: UuidV7Ids) -> Iterator[Callable[[Pipeline], StreamClient]]:
    """Return a function that makes a client of a tenant's streams, with a connection of its own."""
    own = Database(database_urls.app)
    yield lambda pipeline: StreamClient(own, pipeline.clock, ids, pipeline.tenant)
    own.close()


@pytest.fixture
def client(pipeline: Pipeline, watching: Callable[[Pipeline], StreamClient]) -> StreamClient:
    """A client of the one tenant."""
    return watching(pipeline)
