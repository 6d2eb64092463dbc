"""An embedded PostgreSQL for tests: one server a test process, in a temporary folder that goes with it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import conninfo, sql

from chatsphere.db.migrate import LOGIN_ROLES, migrate, with_passwords
from infra.local.log_file import LogFile
from infra.local.ports import unused_port
from infra.local.postgres import Postgres
from infra.local.postgres_thread import serving

PASSWORD = "test-only"
TEMPLATE, BEING_MADE = "migrated", "migrated_soon"
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""What a test writes need not outlive the machine."""


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as seen by each role."""

    admin: str
    app: str
    authenticator: str
    reaper: str
    eraser: str
    maintainer: str


@contextmanager
def running_server(overrides: Mapping[str, str] = NOT_DURABLE) -> Iterator[str]:
    """Start a server, the one-machine run's own, and yield its superuser URL; remove all of it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="chatsphere-test-"))
    log = LogFile(home / "postgres.log")
    server = Postgres(home / "data", unused_port, PASSWORD, log, overrides)
    try:
        with serving(server) as url:
            yield url
    finally:
        log.close()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str, *, revision: str | None = "head") -> Iterator[DatabaseUrls]:
    """Make a database of its own, migrated to `revision` (None: left empty), and drop it afterwards.

    One at "head" is a copy of the server's first: that takes a fraction of the time.
    """
    name = f"test_{uuid4().hex}"
    if revision == "head":
        _create(server_url, name, _migrated(server_url))
    else:
        _create(server_url, name)
        if revision is not None:
            _migrate(server_url, name, revision)
    admin = conninfo.make_conninfo(server_url, dbname=name)
    try:
        yield DatabaseUrls(
            admin, *(conninfo.make_conninfo(admin, user=role, password=PASSWORD) for role in LOGIN_ROLES)
        )
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _create(server_url: str, name: str, template: str = "template1") -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)


def _migrate(server_url: str, name: str, revision: str) -> None:
    admin = conninfo.make_conninfo(server_url, dbname=name)
    migrate(admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)), revision=revision)


def _migrated(server_url: str) -> str:
    """Return the server's database at "head" that nobody connects to; the first who asks makes it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchall():
            # What a migration that failed has left would hide its error from whoever comes next.
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(BEING_MADE)))
            _create(server_url, BEING_MADE)
            _migrate(server_url, BEING_MADE, "head")
            rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
            connection.execute(rename.format(sql.Identifier(BEING_MADE), sql.Identifier(TEMPLATE)))
    return TEMPLATE
