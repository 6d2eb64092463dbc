"""Conversations over HTTP: the routes, on turns that chat has kept."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.chat.under_way import WRITTEN_WITHIN
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.builders.running_api import Account, RunningApi, running_api
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, passage, says
from tests.integration.chat.client import ChatClient
from tests.postgres import DatabaseUrls

Chat = Callable[..., dict[str, Any]]


@pytest.fixture
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with running_api(database_urls) as api:
        yield api


@pytest.fixture
def account(api: RunningApi) -> Account:
    return api.register()


@pytest.fixture
def bot(api: RunningApi, account: Account) -> str:
    return str(api.bot(account)["id"])


@pytest.fixture
def chat(api: RunningApi, account: Account, bot: str) -> Chat:
    """Return a function that chats with the bot as the account."""
    retriever = FakeRetriever([passage("It costs 49 EUR.")])
    model = ScriptedModel([AnswerDelta("49 EUR"), AnswerCitation(1, "49 EUR", 0, 6), AnswerEnd("stop", 5, 2, 1)])
    services = Services(api.container.database, retriever, model, api.clock, api.container.ids)
    tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(bot))

    def ask(message: str = "Price?", **fields: Any) -> dict[str, Any]:
        api.clock.advance(seconds=1)
        response = ChatClient(chat_app(lambda: services), tenant).chat(message, **fields)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    return ask


def test_conversations_are_listed_newest_first_page_by_page(
    api: RunningApi, account: Account, bot: str, chat: Chat
) -> None:
    made = [chat(f"Question {n}", user="ada")["conversation_id"] for n in range(3)]
    path = f"/v1/bots/{bot}/conversations"
    first = api.request("GET", path, token=account.access_token, query={"limit": ["2"]}).json
    second = api.request(
        "GET", path, token=account.access_token, query={"limit": ["2"], "cursor": [first["next_cursor"]]}
    ).json
    assert [c["id"] for c in first["data"] + second["data"]] == made[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert first["data"][0] | {"created_at": 0, "updated_at": 0} == {
        "id": made[2],
        "bot_id": bot,
        "user": "ada",
        "title": "Question 2",
        "channel": "api",
        "metadata": {},
        "created_at": 0,
        "updated_at": 0,
        "ended_at": None,
        "archived_at": None,
        "message_count": 2,
        "last_message_at": first["data"][0]["updated_at"],
        "preview": "49 EUR",
    }


def test_conversations_of_one_end_user(api: RunningApi, account: Account, bot: str, chat: Chat) -> None:
    chat(user="ada")
    bobs = chat(user="bob")["conversation_id"]
    page = api.request("GET", f"/v1/bots/{bot}/conversations", token=account.access_token, query={"user": ["bob"]}).json
    assert [c["id"] for c in page["data"]] == [bobs]


def test_messages_are_listed_oldest_first_page_by_page(api: RunningApi, account: Account, chat: Chat) -> None:
    answer = chat("First")
    conversation = answer["conversation_id"]
    chat("Second", conversation_id=conversation)
    path = f"/v1/conversations/{conversation}/messages"
    pages, cursor = [], None
    while True:
        query = {"limit": ["3"]} | ({"cursor": [cursor]} if cursor else {})
        page = api.request("GET", path, token=account.access_token, query=query).json
        pages.append(page["data"])
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert [len(page) for page in pages] == [3, 1]
    messages = pages[0] + pages[1]
    assert [(m["role"], m["content"]) for m in messages] == [
        ("user", "First"),
        ("assistant", "49 EUR"),
        ("user", "Second"),
        ("assistant", "49 EUR"),
    ]
    question, kept = messages[0], messages[1]
    assert (question["usage"], question["citations"], question["answerable"]) == (None, [], None)
    assert kept["id"] == answer["message_id"]
    assert kept["citations"] == answer["citations"]
    assert (kept["answerable"], kept["reason"], kept["model"]) == (True, None, "scripted")
    assert kept["usage"] == answer["usage"]
    assert "content" not in kept["sources"][0]
    assert kept["created_at"].endswith("Z")


def test_a_deleted_conversation_is_gone_with_its_messages(
    api: RunningApi, account: Account, bot: str, chat: Chat
) -> None:
    conversation, other = chat()["conversation_id"], chat()["conversation_id"]
    path = f"/v1/conversations/{conversation}"
    assert api.request("GET", path, token=account.access_token).json["id"] == conversation
    assert api.request("DELETE", path, token=account.access_token).status == 204
    for gone in (path, f"{path}/messages"):
        assert api.request("GET", gone, token=account.access_token).status == 404
    assert api.request("DELETE", path, token=account.access_token).status == 404
    with api.container.database.transaction(UUID(account.organization_id)) as connection:
        left = connection.execute("SELECT DISTINCT conversation_id FROM messages").fetchall()
    assert [str(row["conversation_id"]) for row in left] == [other]


ROUTES = [
    ("GET", "/v1/bots/{bot}/conversations"),
    ("GET", "/v1/conversations/{conversation}"),
    ("GET", "/v1/conversations/{conversation}/messages"),
    ("DELETE", "/v1/conversations/{conversation}"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("who", ["stranger", "key of another bot"])
def test_what_one_may_not_see_is_answered_like_what_is_missing(
    api: RunningApi, account: Account, bot: str, chat: Chat, method: str, path: str, who: str
) -> None:
    conversation = chat()["conversation_id"]
    if who == "stranger":
        token = api.register().access_token
    else:
        token = str(api.api_key(account, bot_ids=[str(api.bot(account)["id"])])["key"])
    theirs = api.request(method, path.format(bot=bot, conversation=conversation), token=token)
    nobodys = api.request(method, path.format(bot=uuid4(), conversation=uuid4()), token=token)
    assert (theirs.status, theirs.code) == (nobodys.status, nobodys.code) == (404, "not_found")
    assert theirs.json | {"request_id": 0} == nobodys.json | {"request_id": 0}
    kept = api.request("GET", f"/v1/conversations/{conversation}/messages", token=account.access_token).json
    assert len(kept["data"]) == 2


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_each_route_asks_for_its_scope(
    api: RunningApi, account: Account, bot: str, chat: Chat, method: str, path: str
) -> None:
    conversation = chat()["conversation_id"]
    wrong = "conversations:write" if method == "GET" else "conversations:read"
    token = str(api.api_key(account, scopes=[wrong])["key"])
    answer = api.request(method, path.format(bot=bot, conversation=conversation), token=token)
    assert (answer.status, answer.code) == (403, "insufficient_scope")


@pytest.mark.parametrize("path", ["/v1/conversations/nonsense", "/v1/conversations/nonsense/messages"])
def test_an_id_that_cannot_be_one_is_not_found(api: RunningApi, account: Account, path: str) -> None:
    answer = api.request("GET", path, token=account.access_token)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("query", [{"limit": ["0"]}, {"limit": ["101"]}, {"cursor": ["x"]}, {"limit": ["a"]}])
def test_paging_that_is_not_valid_is_refused(
    api: RunningApi, account: Account, bot: str, chat: Chat, query: dict[str, list[str]]
) -> None:
    conversation = chat()["conversation_id"]
    for path in (f"/v1/bots/{bot}/conversations", f"/v1/conversations/{conversation}/messages"):
        answer = api.request("GET", path, token=account.access_token, query=query)
        assert (answer.status, answer.code) == (422, "invalid_request")


def test_an_answer_that_nobody_writes_any_more_is_listed(
    api: RunningApi, account: Account, bot: str, chat: Chat
) -> None:
    # Given an answer in a conversation
    conversation_id = chat()["conversation_id"]
    listed: list[dict[str, Any]] = []

    def nobody_writes() -> None:
        api.clock.advance(seconds=WRITTEN_WITHIN.total_seconds())
        path = f"/v1/conversations/{conversation_id}/messages"
        listed.extend(api.request("GET", path, token=account.access_token).json["data"])

    model = ScriptedModel([nobody_writes, *says("49 EUR")])
    retriever = FakeRetriever([passage("It costs 49 EUR.")])
    services = Services(api.container.database, retriever, model, api.clock, api.container.ids)
    tenant = Tenant(UUID(account.organization_id), UUID(account.user_id), UUID(bot))
    # When its time is over and somebody reads the conversation
    answered = ChatClient(chat_app(lambda: services), tenant).chat("Still?", conversation_id=conversation_id)
    # Then it is there, and will not be there twice
    assert [message["finish_reason"] for message in listed] == [None, "stop", None, "interrupted"]
    assert answered.json()["code"] == "answer_interrupted"
