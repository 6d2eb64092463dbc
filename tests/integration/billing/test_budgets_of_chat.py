"""Budgets in the use case that spends: answers, also many at once, refused, failed or lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.billing.budgets import MonthUsage, organization_usage
from chatsphere.bots.bots import get_bot
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.estimating import RECALLED, most_spent
from chatsphere.chat.services import Services
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step, SteppingClock, passage, says
from tests.integration.billing.conftest import PutOnPlan
from tests.integration.chat.client import ChatClient, events_of
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

QUESTION = "What does it cost?"
QUOTE = "It costs 49 EUR a month."
ANSWER: list[Step] = [AnswerDelta("49 EUR."), AnswerCitation(1, QUOTE, 0, 7), AnswerEnd("stop", 30, 5, 7)]
CHATS = 8


@dataclass
class Room:
    """One tenant whose bot is asked; each client has a database connection, a model and a clock of its own."""

    tenant: Tenant
    urls: DatabaseUrls
    ids: UuidV7Ids
    database: Database
    retriever: FakeRetriever
    # Far from the end of a month.
    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(day=15))

    def services(self, model: ScriptedModel, database: Database | None = None) -> Services:
        return Services(database or self.database, self.retriever, model, SteppingClock(self.moment), self.ids)

    def client(self, model: ScriptedModel, database: Database | None = None) -> ChatClient:
        services = self.services(model, database)
        return ChatClient(chat_app(lambda: services), self.tenant)

    def set(self, column: str, value: int) -> None:
        with psycopg.connect(self.urls.admin, autocommit=True) as connection:
            query = f"UPDATE organizations SET {column} = %s WHERE id = %s"
            connection.execute(query.encode(), (value, self.tenant.organization_id))

    def configure(self, **configuration: str) -> None:
        with self.database.transaction(self.tenant.organization_id) as connection:
            connection.execute(
                "UPDATE bots SET configuration = %s WHERE id = %s", (Jsonb(configuration), self.tenant.bot_id)
            )

    def month(self) -> MonthUsage:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return organization_usage(connection, self.tenant.organization_id, self.moment)

    def open_reservations(self) -> int:
        with self.database.transaction(self.tenant.organization_id) as connection:
            row = connection.execute("SELECT count(*) AS open FROM budget_reservations").fetchone()
        assert row is not None
        return int(row["open"])

    def most(self) -> int:
        """Return the tokens that one answer sets aside."""
        model = ScriptedModel()
        with self.database.transaction(self.tenant.organization_id) as connection:
            bot = get_bot(connection, self.tenant.bot_id)
        return most_spent(bot, [], model.count_tokens(QUESTION), model, lambda *_: 0).tokens


@pytest.fixture
def room(database: Database, database_urls: DatabaseUrls, ids: UuidV7Ids, tenant: Tenant) -> Room:
    return Room(tenant, database_urls, ids, database, FakeRetriever([passage(QUOTE)]))


def used(month: MonthUsage) -> tuple[int, int, int]:
    return month.messages, month.tokens, month.cost_microdollars


def test_an_answer_counts_what_the_model_used(room: Room) -> None:
    assert room.client(ScriptedModel(ANSWER)).chat(QUESTION).status_code == 200

    assert used(room.month()) == (1, 35, 7)
    assert room.open_reservations() == 0


def test_a_search_that_a_model_writes_anew_is_paid_for_and_refused_by_a_budget(room: Room) -> None:
    model = ScriptedModel(rewriting=(20, 4, 28))
    search = {"query": "And now?", "history": [{"role": "user", "content": QUESTION}]}
    path = f"/v1/bots/{room.tenant.bot_id}/search"

    assert room.client(model).post(path, search).status_code == 200
    assert (used(room.month()), room.open_reservations()) == ((0, 24, 28), 0)

    room.set("monthly_budget_tokens", 100)
    refused = room.client(model).post(path, search)
    assert (refused.status_code, refused.json()["code"]) == (403, "budget_exhausted")
    assert room.client(model).post(path, {"query": QUESTION}).status_code == 200
    assert (used(room.month()), room.open_reservations()) == ((0, 24, 28), 0)


def test_a_refusal_is_an_answer_that_costs_nothing(room: Room) -> None:
    room.retriever.confidence = 0.0

    body = room.client(ScriptedModel(ANSWER)).chat(QUESTION).json()

    assert body["answerable"] is False
    assert used(room.month()) == (1, 0, 0)


def test_the_embedding_of_the_question_is_paid_for_and_shown(room: Room) -> None:
    room.retriever.embedding_price, words = 2, len(QUESTION.split())
    answered = room.client(ScriptedModel(ANSWER)).chat(QUESTION).json()
    room.retriever.confidence = 0.0
    refused = room.client(ScriptedModel(ANSWER)).chat(QUESTION).json()

    took = {"embedding_tokens": words, "cost_microdollars": 2 * words}
    assert refused["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, **took}
    assert answered["usage"] == {
        "prompt_tokens": 30,
        "completion_tokens": 5,
        **took,
        "cost_microdollars": 7 + 2 * words,
    }
    assert used(room.month()) == (2, 35 + 2 * words, 7 + 4 * words)
    with room.database.transaction(room.tenant.organization_id) as connection:
        events = connection.execute(
            "SELECT embedding_tokens, cost_microdollars FROM usage_events ORDER BY id"
        ).fetchall()
    assert [tuple(event.values()) for event in events] == [(words, 7 + 2 * words), (words, 2 * words)]


def test_the_rewriting_of_a_follow_up_is_paid_for_and_shown(room: Room) -> None:
    first = room.client(ScriptedModel(ANSWER)).chat(QUESTION).json()

    follow_up = ScriptedModel(ANSWER, rewriting=(100, 20, 3))
    body = room.client(follow_up).chat("and yearly?", conversation_id=first["conversation_id"]).json()

    assert body["usage"] == {
        "prompt_tokens": 130,
        "completion_tokens": 25,
        "embedding_tokens": 0,
        "cost_microdollars": 10,
    }
    assert used(room.month()) == (2, 35 + 155, 17)


def test_the_embedding_of_a_search_is_paid_for_too(room: Room) -> None:
    room.retriever.embedding_price, words = 2, len(QUESTION.split())

    assert room.client(ScriptedModel()).search(QUESTION).status_code == 200

    assert used(room.month()) == (0, words, 2 * words)


@pytest.mark.parametrize("recall", ["end_user", "conversation"])
def test_what_may_be_recalled_is_set_aside_too(room: Room, recall: str) -> None:
    # Given
    room.configure(recall=recall)
    reserved: list[int] = []
    answering = ScriptedModel([lambda: reserved.append(room.month().tokens), *ANSWER])
    # When
    assert room.client(answering).chat(QUESTION, user="ada").status_code == 200
    # Then a conversation that only begins has nothing but the end user's others to recall
    assert (reserved[0] > room.most() + 2 * RECALLED) == (recall == "end_user")


def test_an_answer_that_breaks_off_counts_about_what_it_used_and_is_no_message(room: Room) -> None:
    broken = ScriptedModel([AnswerDelta("It costs about"), UnavailableError("gone")])

    assert room.client(broken).chat(QUESTION).status_code == 503

    messages, tokens, cost = used(room.month())
    assert messages == 0
    assert tokens > 500
    assert cost > 500
    assert room.open_reservations() == 0


def test_a_call_that_never_began_costs_nothing(room: Room) -> None:
    assert room.client(ScriptedModel([UnavailableError("down")])).chat(QUESTION).status_code == 503

    assert used(room.month()) == (0, 0, 0)


def test_an_answer_whose_bot_is_deleted_meanwhile_is_paid_for_all_the_same(room: Room) -> None:
    def delete_bot() -> None:
        with psycopg.connect(room.urls.admin, autocommit=True) as connection:
            connection.execute("UPDATE bots SET status = 'deleting' WHERE id = %s", (room.tenant.bot_id,))

    assert room.client(ScriptedModel([delete_bot, *ANSWER])).chat(QUESTION).status_code == 404

    assert room.month().tokens == 35
    assert room.open_reservations() == 0


@pytest.mark.parametrize("stream", [False, True])
def test_an_exhausted_budget_is_a_403_before_any_model_is_asked(room: Room, stream: bool) -> None:
    room.set("monthly_budget_tokens", room.most() - 1)
    model = ScriptedModel(ANSWER)

    response = room.client(model).chat(QUESTION, stream=stream)

    assert (response.status_code, response.json()["code"]) == (403, "budget_exhausted")
    assert f"this may take {room.most()}" in response.json()["detail"]
    assert model.requests == []


def test_the_plans_messages_used_up_are_a_402(room: Room, put_on_plan: PutOnPlan) -> None:
    put_on_plan(room.tenant.organization_id, messages_per_month=1)
    client = room.client(ScriptedModel(ANSWER))
    assert client.chat(QUESTION).status_code == 200

    response = client.chat(QUESTION)

    assert (response.status_code, response.json()["code"]) == (402, "quota_exceeded")
    assert "permits 1 messages a month; 1 are in use" in response.json()["detail"]


class SlowModels:
    """Answers that are all under way until they are let go on."""

    def __init__(self) -> None:
        self.begun, self._lock, self._go = 0, Lock(), Event()

    def model(self) -> ScriptedModel:
        return ScriptedModel([self._wait, *says("49 EUR.", prompt_tokens=1000, completion_tokens=24)])

    def let_go(self) -> None:
        self._go.set()

    def _wait(self) -> None:
        with self._lock:
            self.begun += 1
        assert self._go.wait(60)


def test_parallel_streams_cannot_overspend(room: Room) -> None:
    # Given a budget for three answers
    room.set("monthly_budget_tokens", 4 * room.most() - 1)
    slow, answered = SlowModels(), []

    def chat(_: int) -> httpx.Response:
        with closing(Database(room.urls.app)) as database:
            response = room.client(slow.model(), database).chat(QUESTION, stream=True)
        answered.append(response.status_code)
        return response

    # When many are asked at once, and all are under way
    with ThreadPoolExecutor(CHATS) as threads:
        try:
            responses = threads.map(chat, range(CHATS))
            wait_for(lambda: slow.begun + len(answered) == CHATS, what="every chat to be under way or refused")
        finally:
            slow.let_go()
        found = list(responses)

    # Then three answer and the others were refused
    assert slow.begun == 3
    assert sorted(response.status_code for response in found) == [200] * 3 + [403] * 5
    ended = [events_of(response.text)[-1].name for response in found if response.status_code == 200]
    assert ended == ["done"] * 3
    assert used(room.month()) == (3, 3 * 1024, 21)
    assert room.open_reservations() == 0


def test_what_was_set_aside_and_not_used_can_be_spent(room: Room) -> None:
    room.set("monthly_budget_tokens", room.most() + 100)
    client = room.client(ScriptedModel(ANSWER))

    statuses = [client.chat(QUESTION).status_code for _ in range(4)]

    # 35 tokens each: after the third the next one may need more than is left.
    assert statuses == [200, 200, 200, 403]
