from collections.abc import Iterator

import pytest

from tests.builders.running_api import Account, RunningApi, running_api
from tests.postgres import DatabaseUrls


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, DEFAULT_PLAN="Pro") as api:
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()
