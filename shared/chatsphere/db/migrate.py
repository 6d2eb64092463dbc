"""The migration runner: one code path for the cloud (at deployment) and for one machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from chatsphere.db.concurrent_indexes import build_indexes
from chatsphere.errors import ConfigurationError, UnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
LOGIN_ROLES = (
    "chatsphere_app",
    "chatsphere_authenticator",
    "chatsphere_reaper",
    "chatsphere_eraser",
    "chatsphere_maintainer",
)
SEARCH_ROLE = "chatsphere_search"
IAM_ROLE: Final = "rds_iam"
LOCK: Final = 7236190452

PermitLogin = Callable[[psycopg.Connection, str], None]
"""Lets a role log in; called for each of `LOGIN_ROLES` on every run, so that a changed password takes effect."""


def with_passwords(role_passwords: Mapping[str, str]) -> PermitLogin:
    """Return what lets each role log in with a password of its own."""

    def permit(connection: psycopg.Connection, role: str) -> None:
        _alter(connection, role, "LOGIN PASSWORD {}", sql.Literal(role_passwords[role]))

    return permit


def with_iam(connection: psycopg.Connection, role: str) -> None:
    """Let a role log in with a token that AWS IAM signed, and with no password.

    Raises:
        ConfigurationError: the server knows no IAM authentication.
    """
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (IAM_ROLE,)).fetchone():
        raise ConfigurationError(f"The database server has no role {IAM_ROLE}: is IAM authentication switched on?")
    _alter(connection, role, "LOGIN PASSWORD NULL")
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(IAM_ROLE), sql.Identifier(role)))


def migrate(admin_url: str, permit_login: PermitLogin, *, revision: str = "head", wait_seconds: int = 300) -> None:
    """Bring the database at `admin_url` to `revision`, creating the roles first.

    The administrator owns the database and may create roles and the extension `vector`; it need not be a superuser.
    Of two runs at once, the second waits for the first, up to `wait_seconds`. A database that a later release has
    migrated is left as it is: revisions only go forward, and former code is rolled back to on a newer schema.

    Raises:
        UnavailableError: another run does not end.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _keep_others_out(connection, wait_seconds)
        _create_roles(connection)
        config = alembic_config(admin_url)
        if not _is_newer(current_revision(admin_url), config):
            command.upgrade(config, revision)
            if revision == "head":
                build_indexes(connection)
        # Last: who made a role is its member, so with the role's right to IAM may lose the right to a password.
        _permit_logins(connection, permit_login)


def alembic_config(admin_url: str) -> Config:
    """Return Alembic's configuration for the database at `admin_url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = admin_url
    return config


def current_revision(admin_url: str) -> str | None:
    """Return the revision that the database is at, None before the first."""
    with psycopg.connect(admin_url) as connection:
        if connection.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def is_known(revision: str) -> bool:
    """Return whether this release knows a revision: one that it does not is a later release's."""
    return revision in _known(alembic_config(""))


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _is_newer(current: str | None, config: Config) -> bool:
    return current is not None and current not in _known(config)


def _keep_others_out(connection: psycopg.Connection, wait_seconds: int) -> None:
    """Wait for other runs to end, and keep them out until the connection does, even if this process dies."""
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{wait_seconds}s",))
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise UnavailableError("Another migration of this database is running.") from None
    connection.execute("RESET lock_timeout")
    # The lock's connection is idle for as long as another one migrates.
    connection.execute("SET idle_session_timeout = 0")


def _create_roles(connection: psycopg.Connection) -> None:
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role in (*LOGIN_ROLES, SEARCH_ROLE):
        if role not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role)))


def _permit_logins(connection: psycopg.Connection, permit_login: PermitLogin) -> None:
    for role in LOGIN_ROLES:
        permit_login(connection, role)
        # A query that runs away must not hold a connection for longer than any function may live.
        _alter(connection, role, "SET statement_timeout = '60s'")
        _alter(connection, role, "SET idle_in_transaction_session_timeout = '60s'")
        # Days and months are UTC's, whatever the server goes by.
        _alter(connection, role, "SET timezone = 'UTC'")


def _alter(connection: psycopg.Connection, role: str, change: LiteralString, *values: sql.Composable) -> None:
    connection.execute(sql.SQL("ALTER ROLE {} " + change).format(sql.Identifier(role), *values))
