"""Packages are built once a test process, and one world serves all functions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.catalog import FUNCTIONS
from tests.conftest import Tenant
from tests.infra.packaging.machine import Package, lay_out
from tests.infra.packaging.world import World, make_world
from tests.integration.cloud_runtime.conftest import empty_database, managed_server
from tests.integration.own_database import database_urls
from tests.loopback.gemini_server import GeminiServer
from tests.moto_server import running_moto
from tests.postgres import DatabaseUrls

__all__ = ["database_urls", "empty_database", "managed_server"]

SPECS = {spec.name: spec for spec in FUNCTIONS}


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer() as server:
        yield server


@pytest.fixture
def world(
    make_tenant: Callable[[], Tenant], database_urls: DatabaseUrls, moto: str, gemini: GeminiServer, tmp_path: Path
) -> World:
    """A tenant of its own for each test; bucket and queues are shared."""
    return make_world(make_tenant(), database_urls, moto, gemini, tmp_path)


@pytest.fixture
def packaged(tmp_path: Path) -> Callable[[str], Package]:
    """Return a function that lays out a function of the catalog."""
    return lambda name: lay_out(SPECS[name], tmp_path / "lambda")
