from collections.abc import Iterator

import pytest

from chatsphere.insights.rolling import UsageRoller
from tests.builders.running_api import RunningApi, running_api
from tests.integration.conversations.talking import Talk
from tests.integration.own_database import database_urls
from tests.postgres import DatabaseUrls

__all__ = ["database_urls"]


@pytest.fixture(scope="module")
def running(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def talk(running: RunningApi) -> Talk:
    """A bot of an organization of its own."""
    return _begin(running)


@pytest.fixture(scope="module")
def any_talk(running: RunningApi) -> Talk:
    """A bot for requests that change nothing."""
    return _begin(running)


@pytest.fixture
def roller(running: RunningApi) -> UsageRoller:
    """The job."""
    c = running.container
    return UsageRoller(c.reaper_database, c.database, c.clock)


def _begin(running: RunningApi) -> Talk:
    account = running.register()
    return Talk(running, account, str(running.bot(account, name="=Plans")["id"]))
