"""Fixtures of retention."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import conninfo

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from tests.builders.running_api import Account, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.integration.own_database import database_urls
from tests.integration.retention.driving import Retention
from tests.postgres import DatabaseUrls

__all__ = ["database_urls"]

NOW = datetime(2027, 6, 15, 10, 30, tzinfo=UTC)


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the application's role; commits do not wait for the disk, for there are many."""
    database = Database(conninfo.make_conninfo(database_urls.app, options="-c synchronous_commit=off"))
    yield database
    database.close()


@pytest.fixture
def make_retention(database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]) -> Callable[[], Retention]:
    """Return a function that makes a tenant and its runs, in the middle of June 2027."""
    return lambda: Retention(make_tenant(), database, ids, FixedClock(NOW))


@pytest.fixture
def retention(make_retention: Callable[[], Retention]) -> Retention:
    """One tenant's runs."""
    return make_retention()


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        vars(api.container).update(object_store=InMemoryObjectStore(api.clock))
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def ask(api: RunningApi, owner: Account) -> Callable[..., Any]:
    """Return a function that asks as the owner and returns status and code, or the body where it went well."""

    def ask(method: str, path: str, body: Any = None, **query: str) -> Any:
        named = {name: [value] for name, value in query.items()}
        answer = api.request(method, path, body, token=owner.access_token, query=named)
        return (answer.status, answer.code) if answer.status >= 400 else answer.json if answer.text else None

    return ask
