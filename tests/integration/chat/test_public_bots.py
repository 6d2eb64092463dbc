"""Public bots answer anybody: what visitors are told, and what not."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chatsphere.access.permissions import BotLevel
from chatsphere.bots import visitors
from chatsphere.bots.author import Author
from chatsphere.bots.changing import BotChange, change_bot
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.builders.running_api import FixedClock
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step
from tests.integration.chat.client import ChatClient, MakeClient, Rows, events_of, names

QUOTE = "It costs 49 EUR a month."
ANSWER: list[Step] = [
    AnswerDelta("It costs 49 EUR."),
    AnswerCitation(1, QUOTE, 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]
UNSEEN = "The Falcon plan is for teams."
"""What stands in the passage beside the quote."""

Change = Callable[..., None]


@pytest.fixture
def change(database: Database, tenant: Tenant, services: Services) -> Change:
    """Return a function that changes fields of the tenant's bot."""

    def apply(**fields: Any) -> None:
        author = Author(tenant.user_id, BotLevel.MANAGE, must_be_verified=False)
        with database.transaction(tenant.organization_id, tenant.user_id) as connection:
            change_bot(connection, tenant.bot_id, BotChange(fields), author=author, now=services.clock.now())

    return apply


@pytest.fixture
def public(change: Change, model: ScriptedModel) -> None:
    """The tenant's bot is public, and knows an answer."""
    change(visibility="public")
    model.script = ANSWER


def ask(client: ChatClient, body: Any = None, *, bot_id: object = None, address: str = "192.0.2.1") -> httpx.Response:
    context = {"requestId": "request-1", "identity": {"sourceIp": address}}
    return client.post(
        f"/v1/public/bots/{bot_id or client.tenant.bot_id}/chat",
        {"message": "What does it cost?"} if body is None else body,
        headers={"x-amzn-request-context": json.dumps(context)},
    )


@pytest.mark.usefixtures("public")
def test_a_visitor_is_answered_with_what_the_answer_rests_on(client: ChatClient, source: Passage) -> None:
    response = ask(client)

    assert response.status_code == 200
    body = response.json()
    assert (body["answer"], body["answerable"]) == ("It costs 49 EUR.", True)
    assert [citation["quote"] for citation in body["citations"]] == [QUOTE]
    assert [each["document_name"] for each in body["sources"]] == [source.document_name]
    assert not {"usage", "confidence", "latency_ms", "model"} & body.keys()
    assert UNSEEN not in response.text
    assert response.headers["ratelimit-policy"] == '"requests";q=20;w=60'


@pytest.mark.usefixtures("public")
def test_a_stream_tells_a_visitor_no_more_than_an_answer_in_one_piece(client: ChatClient) -> None:
    response = ask(client, {"message": "What does it cost?", "stream": True})

    events = events_of(response.text)
    assert names(events) == ["meta", "sources", "delta", "citation", "done"]
    told = {event.name: set(event.data) for event in events}
    assert told["meta"] == {"conversation_id", "message_id", "bot_id"}
    assert told["done"] == {"message_id", "finish_reason", "answerable", "reason"}
    assert "content" not in events[1].data["sources"][0]
    assert UNSEEN not in response.text


@pytest.mark.usefixtures("public")
def test_a_visitors_question_is_kept_as_nobodys(client: ChatClient, tenant: Tenant, rows: Rows) -> None:
    ask(client)

    (conversation,) = rows(tenant, "conversations")
    (usage,) = rows(tenant, "usage_events")
    assert (conversation["channel"], conversation["end_user_id"]) == ("public", None)
    assert (usage["user_id"], usage["api_key_id"], usage["channel"]) == (None, None, "public")
    assert len(rows(tenant, "messages")) == 2


@pytest.mark.usefixtures("public")
def test_a_visitor_goes_on_with_a_visitors_conversation_and_no_other(client: ChatClient, model: ScriptedModel) -> None:
    first = ask(client).json()["conversation_id"]
    private = client.chat().json()["conversation_id"]

    again = ask(client, {"message": "And a year?", "conversation_id": first})
    refused = [ask(client, {"message": "And?", "conversation_id": each}) for each in (private, str(uuid4()))]

    assert (again.status_code, again.json()["conversation_id"]) == (200, first)
    assert [turn.content for turn in model.requests[-1].history] == ["What does it cost?", "It costs 49 EUR."]
    for answer in refused:
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such conversation.")


@pytest.mark.usefixtures("public")
def test_a_conversation_with_another_bot_is_not_gone_on_with(
    client: ChatClient, make_client: MakeClient, make_tenant: Callable[[], Tenant], database: Database
) -> None:
    conversation_id = ask(client).json()["conversation_id"]
    other = make_tenant()
    with database.transaction(other.organization_id, other.user_id) as connection:
        author = Author(other.user_id, BotLevel.MANAGE, must_be_verified=False)
        public = BotChange({"visibility": "public"})
        change_bot(connection, other.bot_id, public, author=author, now=FixedClock().now())

    answer = ask(make_client(tenant=other), {"message": "And?", "conversation_id": conversation_id})

    assert answer.status_code == 404


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "fields", [{"visibility": "organization"}, {"visibility": "private"}, {"is_active": False}], ids=str
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_bot_that_is_public_no_more_answers_nobody_from_then_on(
    client: ChatClient, change: Change, fields: dict[str, Any], stream: bool
) -> None:
    conversation_id = ask(client).json()["conversation_id"]

    change(**fields)

    for body in ({"message": "And?"}, {"message": "And?", "conversation_id": conversation_id}):
        answer = ask(client, {**body, "stream": stream})
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such bot.")


def test_whatever_is_not_public_has_one_answer(client: ChatClient) -> None:
    answers = [ask(client, bot_id=bot_id) for bot_id in (None, uuid4(), "nonsense")]
    invalid = ask(client, {"wrong": 1})

    problems = [{**answer.json(), "request_id": ""} for answer in (*answers, invalid)]
    assert problems[0]["status"] == 404
    assert problems == [problems[0]] * 4
    assert not any("ratelimit" in answer.headers for answer in answers)


@pytest.mark.usefixtures("public")
def test_a_bot_taken_back_between_the_door_and_the_answer_does_not_answer(
    services: Services, tenant: Tenant, model: ScriptedModel, change: Change
) -> None:
    class TakenBack(ScriptedModel):
        def count_tokens(self, text: str) -> int:
            change(visibility="organization")
            return super().count_tokens(text)

    late = replace(services, model=TakenBack(ANSWER))

    answer = ask(ChatClient(chat_app(lambda: late), tenant=tenant))

    assert answer.status_code == 404
    assert model.requests == []


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": ""},
        {"message": "  "},
        {"message": "x" * 2001},
        {"message": "a\x00b"},
        {"message": None},
        {"message": "a", "user": "ada"},
        {"message": "a", "metadata": {"a": 1}},
        {"message": "a", "filter": {"document_ids": []}},
        {"message": "a", "conversation_id": "x"},
        {"message": "a", "stream": "yes please"},
    ],
)
def test_a_question_that_is_none_is_refused(client: ChatClient, body: dict[str, Any]) -> None:
    answer = ask(client, body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.usefixtures("public")
def test_an_address_asks_twenty_times_a_minute(services: Services, tenant: Tenant) -> None:
    clock = FixedClock()
    still = replace(services, clock=clock)
    client = ChatClient(chat_app(lambda: still), tenant=tenant)

    answers = [ask(client) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert (answers[-1].json()["code"], answers[-1].headers["retry-after"]) == ("rate_limited", "3")
    assert answers[-1].headers["ratelimit"] == '"requests";r=0;t=3'
    assert ask(client, address="192.0.2.2").status_code == 200
    clock.advance(seconds=3)
    assert [ask(client).status_code for _ in range(2)] == [200, 429]


@pytest.mark.usefixtures("public")
def test_all_visitors_together_ask_so_often(
    services: Services, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "QUESTIONS_OF_ALL_A_MINUTE", 30)
    still = replace(services, clock=FixedClock())
    client = ChatClient(chat_app(lambda: still), tenant=tenant)

    answers = [ask(client, address=f"192.0.2.{number // 10}").status_code for number in range(31)]

    assert answers == [200] * 30 + [429]


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("stream", [False, True])
def test_what_its_organization_can_pay_for_is_none_of_a_visitors_business(
    client: ChatClient, database: Database, tenant: Tenant, model: ScriptedModel, stream: bool
) -> None:
    with database.transaction(tenant.organization_id) as connection:
        connection.execute(
            "UPDATE organizations SET monthly_budget_tokens = 1 WHERE id = %s", (tenant.organization_id,)
        )

    answer = ask(client, {"message": "What does it cost?", "stream": stream})

    assert (answer.status_code, answer.json()["code"]) == (503, "bot_exhausted")
    assert answer.json()["detail"] == "The bot does not answer for the time being"
    assert model.requests == []


@pytest.mark.usefixtures("public")
def test_a_visitors_answers_count_against_the_organization(
    client: ChatClient, database: Database, tenant: Tenant
) -> None:
    ask(client)

    with database.transaction(tenant.organization_id) as connection:
        row = connection.execute(
            "SELECT messages, tokens FROM budget_periods WHERE subject_id = %s", (tenant.organization_id,)
        ).fetchone()
    assert row == {"messages": 1, "tokens": 35}


def test_an_archived_bot_answers_nobody(client: ChatClient, database: Database, tenant: Tenant) -> None:
    with database.transaction(tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET status = 'archived' WHERE id = %s", (tenant.bot_id,))

    answer = client.chat()

    assert (answer.status_code, answer.json()["code"]) == (409, "bot_archived")


@pytest.mark.usefixtures("public")
def test_a_refusal_reads_like_any_answer(client: ChatClient, retriever: FakeRetriever) -> None:
    retriever.passages = []

    body = ask(client).json()

    assert (body["answerable"], body["citations"], body["sources"]) == (False, [], [])
    assert UUID(body["message_id"])
