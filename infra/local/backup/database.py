"""The database of a home: dumped by, and restored with, the embedded server's own programs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from infra.local.backup.errors import BackupError
from infra.local.postgres_cluster import programs, server_environment

COUNTED: Final = ("organizations", "users", "bots", "documents", "chunks", "conversations", "messages")
"""Tables whose rows a manifest counts."""

_SNAPSHOT: Final = "SELECT pg_export_snapshot()"
_ROLES: Final = """
    SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper ORDER BY rolname
"""


@contextmanager
def errors_reported() -> Iterator[None]:
    """Report a server that ended, or does not answer: what the driver says of it names the connection."""
    try:
        yield
    except psycopg.Error as error:
        raise BackupError(f"the database did not go on to answer ({type(error).__name__}); try again") from None


@contextmanager
def snapshot(url: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """Yield a connection that sees the database as it is now, and the name by which others see the same."""
    with psycopg.connect(url, autocommit=False) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SET LOCAL statement_timeout = 0")
        row = connection.execute(_SNAPSHOT).fetchone()
        assert row is not None
        yield connection, str(row[0])
        connection.rollback()


def described(connection: psycopg.Connection) -> tuple[str, str, dict[str, int]]:
    """Return the schema's revision, the server's version, and how many rows some tables have."""
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    version = connection.execute("SHOW server_version").fetchone()
    if revision is None or version is None:
        raise BackupError("the database was never migrated: there is nothing to back up")
    counts: dict[str, int] = {}
    for table in COUNTED:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        counts[table] = row[0] if row else 0
    return str(revision[0]), str(version[0]), counts


def roles(connection: psycopg.Connection) -> list[str]:
    """Return the roles that the dump's grants name, without those of PostgreSQL itself."""
    return [str(row[0]) for row in connection.execute(_ROLES)]


def dump(url: str, snapshot_name: str, target: Path) -> None:
    """Write the whole database, as the snapshot shows it, to `target`.

    Raises:
        BackupError: pg_dump failed; the message holds what it said.
    """
    # Compressed with all else.
    options = ["--format=custom", "--compress=0", f"--snapshot={snapshot_name}", f"--file={target}"]
    _run("pg_dump", url, options)


def restore(url: str, source: Path, role_names: list[str]) -> None:
    """Make everything of a dump in an empty database, after the roles that it names.

    Raises:
        BackupError: pg_restore failed; the message holds what it said.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        for role in role_names:
            if role not in existing:
                # As the migrations make them; each start gives those that log in a password.
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role)))
    _run("pg_restore", url, ["--exit-on-error", "--single-transaction", str(source)])


def _run(program: str, url: str, options: list[str]) -> None:
    place = urlsplit(url)
    connection = {
        "PGHOST": place.hostname or "",
        "PGPORT": str(place.port),
        "PGUSER": unquote(place.username or ""),
        "PGPASSWORD": unquote(place.password or ""),
        "PGDATABASE": place.path.lstrip("/"),
    }
    command = [str(programs() / program), "--no-password", *options]
    if program == "pg_restore":
        command.insert(1, f"--dbname={connection['PGDATABASE']}")
    result = subprocess.run(  # noqa: S603 - the wheel's program
        command,
        env={**server_environment(), **connection, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said = result.stderr.strip() or "it said nothing; is the disk full?"
        raise BackupError(f"{program} failed (exit code {result.returncode}):\n{said}")
