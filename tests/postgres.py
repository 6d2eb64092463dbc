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
    """Make a database of its own, migrated to `revision` (None: left empty), and drop it afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    admin = conninfo.make_conninfo(server_url, dbname=name)
    if revision is not None:
        migrate(admin, with_passwords(dict.fromkeys(LOGIN_ROLES, PASSWORD)), revision=revision)
    try:
        yield DatabaseUrls(
            admin, *(conninfo.make_conninfo(admin, user=role, password=PASSWORD) for role in LOGIN_ROLES)
        )
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
