"""The API under both guards of tenancy, and under each of them alone."""

import re
from collections.abc import Iterator

import pytest

import chatsphere.bots.queries as bot_queries
import chatsphere.identity.queries as identity_queries
from tests.builders.running_api import RunningApi, running_api
from tests.postgres import DatabaseUrls

FILTER = re.compile(r"(\w+\.)?organization_id = app\.current_organization\(\)")


@pytest.fixture(params=["both guards", "row policies alone", "query filters alone"])
def api(
    request: pytest.FixtureRequest, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningApi]:
    """Without the filters every query reads and writes all rows; the superuser is subject to no policy."""
    variables = {}
    if request.param == "row policies alone":
        assert sum(_remove_filters(module, monkeypatch) for module in (bot_queries, identity_queries)) >= 9
    if request.param == "query filters alone":
        variables = {"DATABASE_URL": database_urls.admin}
    with running_api(database_urls, **variables) as api:
        yield api


def _remove_filters(module: object, monkeypatch: pytest.MonkeyPatch) -> int:
    removed = 0
    for name, query in vars(module).copy().items():
        if isinstance(query, str) and name.isupper() and FILTER.search(query):
            monkeypatch.setattr(module, name, FILTER.sub("TRUE", query))
            removed += 1
    return removed
