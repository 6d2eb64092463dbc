"""What each database role may see and change when nobody has told it a tenant."""

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls


@pytest.fixture
def tenant_with_rows(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM bots",
        "SELECT 1 FROM api_keys",
        "SELECT 1 FROM memberships",
        "SELECT 1 FROM organizations",
        "SELECT 1 FROM refresh_tokens",
        "SELECT 1 FROM users",
        "UPDATE bots SET name = 'x' RETURNING 1",
        "UPDATE api_keys SET revoked_at = now() RETURNING 1",
        "UPDATE users SET first_name = 'x' RETURNING 1",
        "DELETE FROM bots RETURNING 1",
        "DELETE FROM memberships RETURNING 1",
    ],
)
@pytest.mark.parametrize("tenant", [None, UUID(int=0)])
def test_without_its_tenant_the_application_sees_and_changes_no_row(
    database: Database, tenant_with_rows: Tenant, statement: str, tenant: UUID | None
) -> None:
    with database.transaction(tenant, tenant) as connection:
        assert connection.execute(statement).fetchall() == []


def test_the_authenticator_reads_credentials_and_nothing_else(database_urls: DatabaseUrls) -> None:
    database = Database(database_urls.authenticator)
    for table in ("bots", "documents", "chunks", "conversations", "messages", "organizations"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(f"SELECT 1 FROM {table}")
    for change in ("UPDATE users SET email = 'x'", "UPDATE api_keys SET scopes = '{}'", "DELETE FROM memberships"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(None) as connection:
            connection.execute(change)
    database.close()
