from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.models import Passage
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, SteppingClock, passage
from tests.integration.chat.client import ChatClient, MakeClient, Rows
from tests.integration.chat.elsewhere import QUICK, Elsewhere, elsewhere
from tests.postgres import DatabaseUrls

CONTENT = "The Falcon plan is for teams.\nIt costs 49 EUR a month."


@pytest.fixture
def tenant(make_tenant: Callable[[], Tenant]) -> Tenant:
    return make_tenant()


@pytest.fixture
def add_document(database: Database, ids: UuidV7Ids) -> Callable[[Tenant], UUID]:
    """Return a function that adds a document that readers see."""

    def add(tenant: Tenant) -> UUID:
        document_id = ids.new()
        with database.transaction(tenant.organization_id) as connection:
            connection.execute(
                "INSERT INTO documents (id, organization_id, bot_id, name, source, status, generation, live_generation)"
                " VALUES (%s, %s, %s, 'plans.md', 'text', 'ready', 1, 1)",
                (document_id, tenant.organization_id, tenant.bot_id),
            )
        return document_id

    return add


@pytest.fixture
def source(tenant: Tenant, add_document: Callable[[Tenant], UUID]) -> Passage:
    """A passage of a document of the tenant's bot."""
    return passage(CONTENT, document_id=add_document(tenant), heading="Plans", pages=(2, 2), start=100)


@pytest.fixture
def retriever(source: Passage) -> FakeRetriever:
    return FakeRetriever([source])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def services(database: Database, retriever: FakeRetriever, model: ScriptedModel, ids: UuidV7Ids) -> Services:
    return Services(database, retriever, model, SteppingClock(), ids, pace=QUICK)


@pytest.fixture
def make_client(services: Services, tenant: Tenant) -> MakeClient:
    """Return a function that makes a client; keywords are the client's fields."""

    def make(**fields: Any) -> ChatClient:
        fields.setdefault("tenant", tenant)
        return ChatClient(chat_app(lambda: services), **fields)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> ChatClient:
    return make_client()


@pytest.fixture
def rows(database: Database) -> Rows:
    """Return a function that reads a tenant's rows of a table, the oldest first."""

    def read(tenant: Tenant, table: str) -> list[Mapping[str, Any]]:
        order = "document_id" if table == "source_stats" else "id"
        with database.transaction(tenant.organization_id) as connection:
            return list(connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall())

    return read


@pytest.fixture
def other(services: Services, tenant: Tenant, database_urls: DatabaseUrls) -> Iterator[Elsewhere]:
    """Another execution environment."""
    with elsewhere(services, tenant, database_urls) as other:
        yield other
