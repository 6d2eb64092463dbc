"""The migration runner: one code path for the cloud (at deployment) and for one machine."""

from collections.abc import Mapping
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

MIGRATIONS = Path(__file__).parent / "migrations"
LOGIN_ROLES = ("chatsphere_app", "chatsphere_authenticator", "chatsphere_reaper")
SEARCH_ROLE = "chatsphere_search"


def migrate(admin_url: str, role_passwords: Mapping[str, str], *, revision: str = "head") -> None:
    """Bring the database at `admin_url` to `revision`, creating the roles first.

    `admin_url` must permit creating roles and extensions. `role_passwords` holds a password for each of
    `LOGIN_ROLES`; they are set anew on every run, so that a rotated password takes effect.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _create_roles(connection, role_passwords)
    command.upgrade(alembic_config(admin_url), revision)


def alembic_config(admin_url: str) -> Config:
    """Return Alembic's configuration for the database at `admin_url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = admin_url
    return config


def _create_roles(connection: psycopg.Connection, role_passwords: Mapping[str, str]) -> None:
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role in (*LOGIN_ROLES, SEARCH_ROLE):
        if role not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(role)))
    for role in LOGIN_ROLES:
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), role_passwords[role])
        )
        # A query that runs away must not hold a connection for longer than any function may live.
        connection.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '60s'").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '60s'").format(sql.Identifier(role))
        )
