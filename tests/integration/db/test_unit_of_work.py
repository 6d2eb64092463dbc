"""The unit of work: the tenant is known inside it, and nowhere else."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from tests.conftest import Tenant
from tests.postgres import DatabaseUrls


def test_a_tenant_sees_its_own_rows_only(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    mine, other = make_tenant(), make_tenant()
    with database.transaction(mine.organization_id) as connection:
        seen = {row["id"] for row in connection.execute("SELECT id FROM bots")}
        changed = connection.execute("UPDATE bots SET name = 'taken' WHERE id = %s", (other.bot_id,)).rowcount
        deleted = connection.execute("DELETE FROM bots WHERE id = %s", (other.bot_id,)).rowcount
    assert seen == {mine.bot_id}
    assert (changed, deleted) == (0, 0)


def test_without_a_tenant_there_are_no_rows(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    tenant = make_tenant()
    with database.transaction(tenant.organization_id) as connection:
        connection.execute("SELECT 1")
    with database.transaction(None) as connection:
        assert connection.execute("SELECT id FROM bots").fetchall() == []


def test_a_row_cannot_be_given_to_another_tenant(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    mine, other = make_tenant(), make_tenant()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction(mine.organization_id) as connection:
        connection.execute("UPDATE bots SET organization_id = %s", (other.organization_id,))


def test_a_row_cannot_point_into_another_tenant(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    mine, other = make_tenant(), make_tenant()
    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.transaction(mine.organization_id) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source) VALUES (%s, %s, %s, 'a', 's3')",
            (uuid4(), mine.organization_id, other.bot_id),
        )


def test_a_statement_that_takes_longer_than_it_may_is_ended(database: Database) -> None:
    with database.transaction(None) as connection:
        usual = connection.execute("SHOW statement_timeout").fetchone()
    with (
        pytest.raises(UnavailableError),
        database.transaction(None, statement_ms=20) as connection,
    ):
        connection.execute("SELECT pg_sleep(30)")
    with database.transaction(None) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == usual


def test_an_exception_rolls_back(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    tenant = make_tenant()
    with pytest.raises(ZeroDivisionError), database.transaction(tenant.organization_id) as connection:
        connection.execute("DELETE FROM bots")
        raise ZeroDivisionError
    with database.transaction(tenant.organization_id) as connection:
        assert len(connection.execute("SELECT id FROM bots").fetchall()) == 1


def test_a_transaction_that_fails_as_it_begins_fails_no_other(database: Database) -> None:
    nobody: Any = "no organization's id"
    with pytest.raises(psycopg.DataError), database.transaction(nobody):
        pass
    with database.transaction(None) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_a_connection_that_broke_while_idle_is_replaced(database: Database, database_urls: DatabaseUrls) -> None:
    with database.transaction(None) as connection:
        first = connection
    _terminate(database_urls, first)
    with database.transaction(None) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
        assert connection is not first


def test_a_connection_lost_in_a_transaction_is_unavailable_and_replaced(
    database: Database, database_urls: DatabaseUrls
) -> None:
    with pytest.raises(UnavailableError), database.transaction(None) as connection:
        _terminate(database_urls, connection)
        connection.execute("SELECT 1")
    with database.transaction(None) as connection:
        assert connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_a_pipelined_transaction_is_read_after_its_end(database: Database, make_tenant: Callable[[], Tenant]) -> None:
    mine, other = make_tenant(), make_tenant()
    with database.transaction(mine.organization_id, pipelined=True) as connection:
        changed = connection.execute("UPDATE bots SET name = 'new' RETURNING id")
        seen = connection.execute("SELECT id, name FROM bots WHERE id = ANY(%s)", ([mine.bot_id, other.bot_id],))

    assert changed.fetchall() == [{"id": mine.bot_id}]
    assert seen.fetchall() == [{"id": mine.bot_id, "name": "new"}]
    with database.transaction(mine.organization_id) as connection:
        assert connection.execute("SELECT name FROM bots").fetchall() == [{"name": "new"}]


@pytest.mark.parametrize("failure", ["of the block", "of a statement"])
def test_a_pipelined_transaction_is_all_or_nothing(
    database: Database, make_tenant: Callable[[], Tenant], failure: str
) -> None:
    tenant = make_tenant()
    expected = ZeroDivisionError if failure == "of the block" else psycopg.errors.DivisionByZero
    with pytest.raises(expected), database.transaction(tenant.organization_id, pipelined=True) as connection:
        connection.execute("DELETE FROM bots")
        if failure == "of the block":
            raise ZeroDivisionError
        connection.execute("SELECT 1 / 0")
    with database.transaction(tenant.organization_id) as connection:
        assert len(connection.execute("SELECT id FROM bots").fetchall()) == 1


def test_a_pipelined_transaction_whose_connection_is_lost_is_unavailable(
    database: Database, database_urls: DatabaseUrls
) -> None:
    with pytest.raises(UnavailableError), database.transaction(None, pipelined=True) as connection:
        _terminate(database_urls, connection)
        connection.execute("SELECT 1")
    with database.transaction(None, pipelined=True) as connection:
        one = connection.execute("SELECT 1 AS one")
    assert one.fetchone() == {"one": 1}


def _terminate(database_urls: DatabaseUrls, connection: Connection) -> None:
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))


def test_an_unreachable_database_is_unavailable(database_urls: DatabaseUrls) -> None:
    nowhere = Database(psycopg.conninfo.make_conninfo(database_urls.app, dbname="missing"))
    with pytest.raises(UnavailableError), nowhere.transaction(None):
        pass


@pytest.mark.parametrize("seconds", [5, 20])
def test_a_peer_that_vanished_is_given_up_no_sooner_than_one_that_wakes_up(
    database_urls: DatabaseUrls, make_tenant: Callable[[], Tenant], seconds: int
) -> None:
    database = Database(database_urls.app, connect_seconds=seconds)
    with database.transaction(make_tenant().organization_id) as connection:
        assert connection.info.get_parameters()["tcp_user_timeout"] == f"{seconds}000"
    database.close()
