"""Nothing of one organization's chats is reached by another, by both guards and by each alone."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

import chatsphere.bots.queries as bot_queries
from chatsphere.access.permissions import Scope
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.chat import queries
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, SteppingClock, says
from tests.integration.chat.client import MakeClient, Rows
from tests.postgres import DatabaseUrls

FILTER = re.compile(r"(\w+\.)?organization_id = app\.current_organization\(\)")


@pytest.fixture(params=["both guards", "row policies alone", "query filters alone"])
def guarded(request: pytest.FixtureRequest, database_urls: DatabaseUrls, monkeypatch: Any) -> Iterator[Database]:
    if request.param == "row policies alone":
        for module in (queries, bot_queries):
            for name, query in vars(module).copy().items():
                if isinstance(query, str) and name.isupper():
                    monkeypatch.setattr(module, name, FILTER.sub("TRUE", query))
    database = Database(database_urls.admin if request.param == "query filters alone" else database_urls.app)
    yield database
    database.close()


@pytest.fixture
def services(guarded: Database, retriever: FakeRetriever, model: ScriptedModel, ids: UuidV7Ids) -> Services:
    return Services(guarded, retriever, model, SteppingClock(), ids)


def test_a_strangers_bot_is_answered_like_a_missing_one(
    make_client: MakeClient, make_tenant: Callable[[], Tenant], tenant: Tenant, rows: Rows, model: ScriptedModel
) -> None:
    stranger = make_client(tenant=make_tenant())
    for ask in (stranger.chat, stranger.search):
        theirs, nobodys = ask(bot_id=tenant.bot_id), ask(bot_id=uuid4())
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.json() == nobodys.json()
    assert model.requests == []
    assert rows(tenant, "messages") == []


def test_a_strangers_conversation_is_answered_like_a_missing_one(
    make_client: MakeClient, make_tenant: Callable[[], Tenant], tenant: Tenant, rows: Rows, model: ScriptedModel
) -> None:
    model.script = says("Something.")
    conversation = make_client().chat().json()["conversation_id"]
    stranger = make_client(tenant=make_tenant())
    theirs = stranger.chat(conversation_id=conversation)
    nobodys = stranger.chat(conversation_id=str(uuid4()))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    assert len(rows(tenant, "messages")) == 2
    assert rows(stranger.tenant, "messages") == []


def test_a_conversation_belongs_to_one_bot(
    make_client: MakeClient, tenant: Tenant, database: Database, ids: UuidV7Ids, model: ScriptedModel
) -> None:
    model.script = says("Something.")
    client, other_bot = make_client(), ids.new()
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(
            "INSERT INTO bots (id, organization_id, name) VALUES (%s, %s, 'Other')", (other_bot, tenant.organization_id)
        )
    conversation = client.chat().json()["conversation_id"]
    assert client.chat(bot_id=other_bot, conversation_id=conversation).status_code == 404


def test_a_conversation_belongs_to_one_end_user(make_client: MakeClient, model: ScriptedModel) -> None:
    model.script = says("Something.")
    client = make_client()
    conversation = client.chat(user="ada").json()["conversation_id"]
    assert client.chat(user="bob", conversation_id=conversation).status_code == 404
    assert client.chat(user="ada", conversation_id=conversation).status_code == 200
    assert client.chat(conversation_id=conversation).status_code == 200


def test_a_conversation_that_is_nobodys_is_the_first_ones_who_is_named_in_it(
    make_client: MakeClient, model: ScriptedModel
) -> None:
    model.script = says("Something.")
    client = make_client()
    conversation = client.chat().json()["conversation_id"]
    assert client.chat(conversation_id=conversation).status_code == 200
    assert client.chat(user="ada", conversation_id=conversation).status_code == 200
    assert client.chat(user="bob", conversation_id=conversation).status_code == 404
    assert client.chat(user="ada", conversation_id=conversation).status_code == 200


def test_a_key_that_may_not_read_conversations_names_whose_it_goes_on_with(
    make_client: MakeClient, model: ScriptedModel
) -> None:
    model.script = says("Something.")
    reads, chats = (
        make_client(api_key_id=uuid4(), scopes=frozenset(scopes))
        for scopes in ((Scope.CHAT, Scope.CONVERSATIONS_READ), (Scope.CHAT,))
    )
    adas, nobodys = (each.json()["conversation_id"] for each in (chats.chat(user="ada"), chats.chat()))

    refused, unknown = chats.chat(conversation_id=adas), chats.chat(conversation_id=str(uuid4()))

    assert refused.status_code == unknown.status_code == 404
    assert refused.json() == unknown.json()
    assert chats.chat(user="ada", conversation_id=adas).status_code == 200
    assert chats.chat(conversation_id=nobodys).status_code == 200
    assert reads.chat(conversation_id=adas).status_code == 200


def test_a_key_limited_to_other_bots_sees_no_bot(make_client: MakeClient, tenant: Tenant) -> None:
    limited = make_client(bot_ids=frozenset({uuid4()}))
    assert limited.chat().status_code == limited.search().status_code == 404
    assert limited.chat().json()["detail"] == "There is no such bot."


def test_counting_sources_touches_no_strangers_document(
    make_client: MakeClient,
    make_tenant: Callable[[], Tenant],
    add_document: Callable[[Tenant], UUID],
    retriever: FakeRetriever,
    model: ScriptedModel,
    rows: Rows,
) -> None:
    # Given a retriever gone wrong, which returns another tenant's passage
    model.script = says("Something.")
    stranger = make_tenant()
    add_document(stranger)
    client = make_client(tenant=stranger)
    owner_rows = [passage.document_id for passage in retriever.passages]
    client.chat()
    assert owner_rows
    assert rows(stranger, "source_stats") == []
