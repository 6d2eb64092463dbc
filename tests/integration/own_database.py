"""A database that the tests of one folder have to themselves."""

from collections.abc import Iterator

import pytest

from tests.postgres import DatabaseUrls, fresh_database


@pytest.fixture(scope="session")
def database_urls(database_server: str) -> Iterator[DatabaseUrls]:
    """In place of the shared one, for a conftest to import: jobs that look across tenants find no other tests' work."""
    with fresh_database(database_server) as urls:
        yield urls
