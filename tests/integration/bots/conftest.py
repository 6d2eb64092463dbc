from collections.abc import Iterator

import pytest

from tests.builders.running_api import RunningApi, running_api
from tests.integration.bots.team import Team, new_team
from tests.postgres import DatabaseUrls


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls, DEFAULT_PLAN="Enterprise") as api:
        yield api


@pytest.fixture
def team(api: RunningApi) -> Team:
    return new_team(api)
