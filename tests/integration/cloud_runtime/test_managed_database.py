"""Migrating as the administrator of a managed service, who is no superuser, gives the same database."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from uuid import UUID

import psycopg
import pytest

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.db.migrate import IAM_ROLE, LOCK, LOGIN_ROLES, current_revision, migrate, with_iam, with_passwords
from chatsphere.errors import ConfigurationError, UnavailableError
from tests.conftest import FREE_PLAN
from tests.integration.cloud_runtime.conftest import ADMINISTRATOR, NEWEST, ManagedDatabase
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

# Everything that decides who may do what, and how the tables look. Owners of tables are the administrator's name.
SCHEMA = """
SELECT 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'policy', tablename, policyname, concat_ws('|', roles, cmd, qual, with_check) FROM pg_policies
UNION ALL SELECT 'table', relname, relrowsecurity::text || relforcerowsecurity, coalesce(relacl::text, '')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL SELECT 'function', proname, pg_get_userbyid(proowner), coalesce(proacl::text, '') || prosecdef || prosrc
FROM pg_proc WHERE pronamespace = 'app'::regnamespace
UNION ALL SELECT 'schema', nspname, '', coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 'app'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""

MEMBERSHIPS = """
SELECT pg_get_userbyid(member) FROM pg_auth_members
WHERE pg_get_userbyid(roleid) = %s AND (set_option OR inherit_option) ORDER BY 1
"""


def test_the_schema_is_the_one_that_a_superuser_makes(
    managed_database: ManagedDatabase, database_urls: DatabaseUrls
) -> None:
    assert _schema(managed_database.superuser, ADMINISTRATOR) == _schema(database_urls.admin, "postgres")


def test_migrating_again_changes_nothing(managed_database: ManagedDatabase) -> None:
    before = _schema(managed_database.superuser, ADMINISTRATOR)
    migrate(managed_database.administrator, with_iam)
    assert _schema(managed_database.superuser, ADMINISTRATOR) == before
    assert current_revision(managed_database.administrator) == NEWEST


def test_roles_get_iam_only_once_the_administrator_needs_no_further_connection(empty_database: ManagedDatabase) -> None:
    found = set()

    def permit(connection: psycopg.Connection, role: str) -> None:
        found.add(current_revision(empty_database.administrator))
        with_iam(connection, role)

    migrate(empty_database.administrator, permit)

    assert found == {NEWEST}


def test_the_roles_log_in_with_iam_and_nothing_else(managed_database: ManagedDatabase) -> None:
    with psycopg.connect(managed_database.superuser) as connection:
        members = [row[0] for row in connection.execute(MEMBERSHIPS, (IAM_ROLE,))]
        passwords = connection.execute(
            "SELECT rolname FROM pg_authid WHERE rolname LIKE 'chatsphere%' AND rolpassword IS NOT NULL"
        ).fetchall()
    assert set(LOGIN_ROLES) <= set(members)
    assert passwords == []


def test_the_administrator_keeps_no_way_into_the_search_role(managed_database: ManagedDatabase) -> None:
    with psycopg.connect(managed_database.superuser) as connection:
        assert connection.execute(MEMBERSHIPS, ("chatsphere_search",)).fetchall() == []


@pytest.fixture
def tenants(managed_database: ManagedDatabase) -> Iterator[tuple[Database, UUID, UUID]]:
    """Two organizations with a bot each, written by the application's role."""
    ids = UuidV7Ids(SystemClock())
    database = Database(managed_database.as_role("chatsphere_app"))
    organizations = ids.new(), ids.new()
    for organization in organizations:
        with database.transaction(organization) as connection:
            connection.execute(
                "INSERT INTO organizations (id, name, plan_id) VALUES (%s, 'Test', %s)", (organization, FREE_PLAN)
            )
            connection.execute(
                "INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Bot')", (ids.new(), organization)
            )
    yield database, *organizations
    database.close()


def test_a_tenant_sees_and_writes_only_its_own(tenants: tuple[Database, UUID, UUID]) -> None:
    database, one, other = tenants
    with database.transaction(one) as connection:
        assert connection.execute("SELECT organization_id FROM bots").fetchall() == [{"organization_id": one}]
        assert connection.execute("UPDATE bots SET name = 'x' WHERE organization_id = %s", (other,)).rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(one) as connection:
        connection.execute("UPDATE bots SET organization_id = %s", (other,))
    with database.transaction(None) as connection:
        assert connection.execute("SELECT FROM bots").fetchall() == []


def test_even_the_owner_of_the_tables_sees_no_tenants_rows(
    tenants: tuple[Database, UUID, UUID], managed_database: ManagedDatabase
) -> None:
    with psycopg.connect(managed_database.administrator) as connection:
        assert connection.execute("SELECT count(*) FROM bots").fetchone() == (0,)
    with psycopg.connect(managed_database.superuser) as connection:
        assert connection.execute("SELECT count(*) FROM bots").fetchone() == (2,)


def test_rows_that_an_update_finds_are_brought_along(empty_database: ManagedDatabase) -> None:
    migrate(empty_database.administrator, with_iam, revision="0013")
    organization, bot, conversation = (UUID(int=number) for number in range(1, 4))
    with psycopg.connect(empty_database.superuser) as connection:
        connection.execute(
            "INSERT INTO organizations (id, name, plan_id) VALUES (%s, 'Old', %s)", (organization, FREE_PLAN)
        )
        connection.execute("INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Old')", (bot, organization))
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id) VALUES (%s, %s, %s)",
            (conversation, organization, bot),
        )

    migrate(empty_database.administrator, with_iam, revision="0014")
    with psycopg.connect(empty_database.superuser) as connection:
        # Left to be built while others write.
        assert connection.execute("SELECT to_regclass('conversations_used')").fetchone() == (None,)

    migrate(empty_database.administrator, with_iam)
    with psycopg.connect(empty_database.superuser) as connection:
        assert connection.execute("SELECT slug FROM bots").fetchone() == ("old",)
        assert connection.execute("SELECT to_regclass('conversations_used') IS NOT NULL").fetchone() == (True,)
        forced = "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'bots'::regclass"
        assert connection.execute(forced).fetchone() == (True,)


def test_vector_search_works_as_its_definer(tenants: tuple[Database, UUID, UUID]) -> None:
    database, one, other = tenants
    with database.transaction(one) as connection:
        (bot,) = connection.execute("SELECT id FROM bots").fetchall()
        assert connection.execute("SELECT app.owns_bot(%s) AS owns", (bot["id"],)).fetchone() == {"owns": True}
    with database.transaction(other) as connection:
        assert connection.execute("SELECT app.owns_bot(%s) AS owns", (bot["id"],)).fetchone() == {"owns": False}


def test_a_server_without_iam_authentication_is_refused(database_server: str) -> None:
    with pytest.raises(ConfigurationError, match=IAM_ROLE), psycopg.connect(database_server) as connection:
        with_iam(connection, "chatsphere_app")


def test_a_second_migration_waits_for_the_first(empty_database: ManagedDatabase) -> None:
    # Given: a migration is running
    with _migration_running(empty_database):
        second = Thread(target=migrate, args=(empty_database.administrator, with_iam))
        second.start()
        # When the second is there
        wait_for(lambda: _waiting(empty_database), what="the second migration")
        # Then nothing has been done yet
        assert current_revision(empty_database.administrator) is None
    second.join()
    assert current_revision(empty_database.administrator) == NEWEST


def test_a_migration_does_not_wait_for_ever(empty_database: ManagedDatabase) -> None:
    with _migration_running(empty_database), pytest.raises(UnavailableError):
        migrate(empty_database.administrator, with_iam, wait_seconds=1)
    assert current_revision(empty_database.administrator) is None


def test_from_iam_back_to_passwords(managed_database: ManagedDatabase) -> None:
    migrate(managed_database.administrator, with_passwords(dict.fromkeys(LOGIN_ROLES, "another")))
    with psycopg.connect(managed_database.superuser, user="chatsphere_reaper", password="another") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("chatsphere_reaper",)


@contextmanager
def _migration_running(database: ManagedDatabase) -> Iterator[None]:
    with psycopg.connect(database.administrator, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        yield


def _waiting(database: ManagedDatabase) -> bool:
    with psycopg.connect(database.superuser) as connection:
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        return connection.execute(query).fetchone() is not None


def _schema(url: str, owner: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(SCHEMA).fetchall()
    return sorted(tuple(part.replace(owner, "the owner") for part in row) for row in rows)
