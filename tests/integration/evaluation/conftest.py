from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.builders.running_api import Account, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage
from tests.integration.chat.client import ChatClient
from tests.postgres import DatabaseUrls

Ask = Callable[..., Any]


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def owner(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def bot(api: RunningApi, owner: Account) -> str:
    return str(api.bot(owner)["id"])


@pytest.fixture
def ask(api: RunningApi, owner: Account) -> Ask:
    """Return a function that asks the API as the owner."""

    def request(method: str, path: str, body: Any = None, **fields: Any) -> Any:
        return api.request(method, f"/v1{path}", body, token=owner.access_token, **fields)

    return request


@pytest.fixture
def retriever() -> FakeRetriever:
    return FakeRetriever([passage("It costs 49 EUR.")])


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel([AnswerDelta("49 EUR"), AnswerCitation(1, "49 EUR", 0, 6), AnswerEnd("stop", 5, 2, 1)])


@pytest.fixture
def client(api: RunningApi, owner: Account, bot: str, retriever: FakeRetriever, model: ScriptedModel) -> ChatClient:
    """A client of the bot's chat, as the owner; the clock moves with each request to it."""
    services = Services(api.container.database, retriever, model, api.clock, api.container.ids)
    return ChatClient(chat_app(lambda: services), Tenant(UUID(owner.organization_id), UUID(owner.user_id), UUID(bot)))
