"""Fixtures of exports and imports."""

from collections.abc import Callable, Iterator

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.own_database import database_urls
from tests.integration.transfers.moving import Moving
from tests.postgres import DatabaseUrls

__all__ = ["database_urls"]


@pytest.fixture
def reaper_database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the reaper."""
    database = Database(database_urls.reaper)
    yield database
    database.close()


@pytest.fixture
def moving(
    database: Database,
    reaper_database: Database,
    ids: UuidV7Ids,
    make_tenant: Callable[[], Tenant],
    database_urls: DatabaseUrls,
) -> Moving:
    """Two organizations: one with a bot that knows something, the other without a bot of that kind."""
    source, target = (Pipeline(make_tenant(), database, reaper_database, ids) for _ in range(2))
    return Moving.between(source, target, database_urls.admin)
