"""Fixtures that every test may use. Nothing here reaches beyond loopback."""

import ipaddress
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from tests.postgres import DatabaseUrls, fresh_database, running_server

# The same examples everywhere, however slow the machine is at the moment; `--hypothesis-profile=default` tries others.
settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("repeatable")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a parameter of bytes by its argument: content in a test's name may differ between two workers."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for one instance; it may be removed while a process of it still ends."""
    with tempfile.TemporaryDirectory(prefix="chatsphere-e2e-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that has a line printed below the results, whether the test passes or not."""
    return lambda line: record_property("said", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests had to say; a worker's process hands it over with its report."""
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            for name, line in getattr(report, "user_properties", ()):
                if name == "said" and report.when == "call":
                    terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@dataclass(frozen=True)
class Tenant:
    """An organization with one owner and one bot."""

    organization_id: UUID
    user_id: UUID
    bot_id: UUID


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """Superuser URL of this process's PostgreSQL."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def database_urls(database_server: str) -> Iterator[DatabaseUrls]:
    """A migrated database, shared by the process's tests: each makes tenants of its own."""
    with fresh_database(database_server) as urls:
        yield urls


@pytest.fixture
def database(database_urls: DatabaseUrls) -> Iterator[Database]:
    """The database as the application's role."""
    database = Database(database_urls.app)
    yield database
    database.close()


@pytest.fixture
def ids() -> UuidV7Ids:
    """Ordered identifiers."""
    return UuidV7Ids(SystemClock())


FREE_PLAN = UUID("01970000-0000-7000-8000-000000000001")


@pytest.fixture
def make_tenant(database: Database, ids: UuidV7Ids) -> Callable[[], Tenant]:
    """Return a function that makes an organization with an owner and a bot."""
    return lambda: add_tenant(database, ids)


def add_tenant(database: Database, ids: UuidV7Ids) -> Tenant:
    """Make an organization with an owner and a bot."""
    tenant = Tenant(ids.new(), ids.new(), ids.new())
    with database.transaction(tenant.organization_id, tenant.user_id) as connection:
        connection.execute(
            "INSERT INTO organizations (id, name, plan_id) VALUES (%s, 'Test', %s)",
            (tenant.organization_id, FREE_PLAN),
        )
        connection.execute(
            "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')",
            (tenant.user_id, f"{tenant.user_id}@example.com"),
        )
        connection.execute(
            "INSERT INTO memberships (organization_id, user_id, role) VALUES (%s, %s, 'owner')",
            (tenant.organization_id, tenant.user_id),
        )
        connection.execute(
            "INSERT INTO bots (id, organization_id, name, created_by) VALUES (%s, %s, 'Bot', %s)",
            (tenant.bot_id, tenant.organization_id, tenant.user_id),
        )
    return tenant
