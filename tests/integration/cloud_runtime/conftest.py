"""A database server as a managed service gives one: its administrator is no superuser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from chatsphere.db.migrate import IAM_ROLE, MIGRATIONS, migrate, with_iam
from tests.postgres import PASSWORD, running_server

ADMINISTRATOR = "administrator"
NEWEST = max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*.sql"))
"""The revision that every migrated database ends at."""


@dataclass(frozen=True)
class ManagedDatabase:
    """One database: its URL for the superuser that the service keeps to itself, and for its administrator."""

    superuser: str
    administrator: str

    def as_role(self, role: str) -> str:
        """Return a role's URL. The stand-in for `rds_iam` checks no token, so the role is given a password."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
            connection.execute(statement)
        return conninfo.make_conninfo(self.superuser, user=role, password=PASSWORD)


@pytest.fixture(scope="session")
def managed_server() -> Iterator[str]:
    """Superuser URL of a server of its own: roles belong to a server, and here the administrator makes them."""
    with running_server() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {ADMINISTRATOR} LOGIN PASSWORD '{PASSWORD}' CREATEROLE CREATEDB")
            connection.execute(f"CREATE ROLE {IAM_ROLE} NOLOGIN")
            connection.execute(f"GRANT {IAM_ROLE} TO {ADMINISTRATOR} WITH ADMIN OPTION")
        yield server


@contextmanager
def administered_database(managed_server: str, template: str = "template1") -> Iterator[ManagedDatabase]:
    """Make a database of the administrator's, empty or as `template`; it may create `vector`, as RDS permits it."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(managed_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {ADMINISTRATOR} TEMPLATE {template}")
    superuser = conninfo.make_conninfo(managed_server, dbname=name)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    try:
        yield ManagedDatabase(superuser, conninfo.make_conninfo(superuser, user=ADMINISTRATOR, password=PASSWORD))
    finally:
        with psycopg.connect(managed_server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database(managed_server: str) -> Iterator[ManagedDatabase]:
    """A database that the administrator owns."""
    with administered_database(managed_server) as database:
        yield database


@pytest.fixture(scope="session")
def migrated_template(managed_server: str) -> Iterator[str]:
    """Name of a database that the administrator migrated, for others to be made as; nobody connects to it."""
    with administered_database(managed_server) as database:
        migrate(database.administrator, with_iam)
        yield str(conninfo.conninfo_to_dict(database.superuser)["dbname"])


@pytest.fixture
def managed_database(managed_server: str, migrated_template: str) -> Iterator[ManagedDatabase]:
    """Migrated by the administrator."""
    with administered_database(managed_server, migrated_template) as database:
        # The roles are the server's: another test may have let them log in otherwise.
        migrate(database.administrator, with_iam)
        yield database
