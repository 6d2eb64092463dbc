"""Bots for tests of retrieval."""

from collections.abc import Callable

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.ports.vectors import Namespace
from tests.conftest import Tenant
from tests.integration.retrieval.library import Library


@pytest.fixture
def new_library(database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]) -> Callable[[], Library]:
    """Return a function that makes an empty bot of an organization of its own."""

    def make() -> Library:
        tenant = make_tenant()
        return Library(database, ids, Namespace(tenant.organization_id, tenant.bot_id))

    return make


@pytest.fixture
def library(new_library: Callable[[], Library]) -> Library:
    """An empty bot."""
    return new_library()
