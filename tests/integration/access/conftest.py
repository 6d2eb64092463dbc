from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection
from tests.builders.running_api import Account, RunningApi, running_api
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls

LIMITED_KEY = """
    INSERT INTO api_keys (id, organization_id, created_by, name, prefix, secret_hash, scopes, requests_per_minute)
    VALUES (%(id)s, %(organization_id)s, %(user_id)s, 'limited', %(id)s, '', '{}', %(quota)s)
"""

MakeLimitedKey = Callable[[Connection, Tenant, int | None], UUID]


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def tenant(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def make_limited_key(ids: UuidV7Ids) -> MakeLimitedKey:
    """Return a function that makes a key that may send so many requests a minute."""

    def make(connection: Connection, tenant: Tenant, quota: int | None) -> UUID:
        key_id = ids.new()
        values = {
            "id": key_id,
            "organization_id": tenant.organization_id,
            "user_id": tenant.user_id,
            "quota": quota,
        }
        connection.execute(LIMITED_KEY, values)
        return key_id

    return make
