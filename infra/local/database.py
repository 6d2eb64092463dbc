"""What the run itself does in the database, as superuser: prepare it, and recover from a killed run."""

import asyncio
from collections.abc import Mapping

import psycopg

from infra.local.home import Home
from infra.local.postgres import Postgres
from infra.local.product import LOGIN_ROLES, Product

# Whoever held a lease was a worker of an earlier run, and all of those are dead.
VOID_LEASES = """
    UPDATE documents SET lease_expires_at = now()
    WHERE status IN ('registered', 'extracting', 'embedding', 'deleting') AND lease_expires_at > now()
"""
RECONNECT_SECONDS = 0.5
KNOWN_VERSIONS = "SELECT s3_key, s3_version_id FROM documents WHERE s3_key IS NOT NULL"


def role_passwords(home: Home) -> dict[str, str]:
    """Return each login role's password, random and kept in the home."""
    return {role: home.secret(role) for role in LOGIN_ROLES}


def role_urls(postgres: Postgres, passwords: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold the roles' connection URLs."""
    return {variable: postgres.url(role, passwords[role]) for role, variable in LOGIN_ROLES.items()}


async def prepare(product: Product, postgres: Postgres, passwords: Mapping[str, str]) -> None:
    """Create roles and schema, and void the leases of workers that are gone."""
    if product.prepare_database is not None:
        await asyncio.to_thread(product.prepare_database, postgres.url(), passwords)
        await asyncio.to_thread(_void_leases, postgres.url())


async def known_versions(product: Product, postgres: Postgres) -> dict[str, str | None]:
    """Return, by key, the version of each object that the database last heard of; None where it awaits one."""
    if product.prepare_database is None:
        return {}
    while True:
        try:
            return await asyncio.to_thread(_known_versions, postgres.url())
        except psycopg.OperationalError:  # the server is being restarted
            await asyncio.sleep(RECONNECT_SECONDS)


def _void_leases(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(VOID_LEASES)


def _known_versions(url: str) -> dict[str, str | None]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute(KNOWN_VERSIONS).fetchall())
