from collections.abc import Iterator

import pytest

from chatsphere.db.database import Database
from tests.builders.running_api import RunningApi, running_api
from tests.postgres import DatabaseUrls


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def admin(database_urls: DatabaseUrls) -> Iterator[Database]:
    database = Database(database_urls.admin)
    yield database
    database.close()
