import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Event as Signal
from typing import Any
from uuid import uuid4

import anyio
import pytest
from starlette.types import Message

from chatsphere.chat import writing
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.errors import UnavailableError
from chatsphere.http.event_stream import HEARTBEAT
from chatsphere.knowledge.retrieval.models import Passage, SearchResult
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step
from tests.integration.chat.client import TIMEOUT, ChatClient, Rows, events_of, names

QUOTE = "It costs 49 EUR a month."
ANSWER: list[Step] = [
    AnswerDelta("It costs "),
    AnswerDelta("49 EUR.\nA\u2028month 🦅"),
    AnswerCitation(1, "invented", 0, 9),
    AnswerCitation(1, QUOTE, 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]


def test_events_come_in_the_order_of_the_contract(client: ChatClient, model: ScriptedModel) -> None:
    model.script = ANSWER

    events = client.stream()

    assert names(events) == ["meta", "sources", "delta", "citation", "done"]
    meta, done = events[0].data, events[-1].data
    assert meta.keys() == {"conversation_id", "message_id", "bot_id", "model"}
    assert events[1].data["sources"][0]["content"].startswith("The Falcon plan")
    assert "".join(e.data["text"] for e in events if e.name == "delta") == "It costs 49 EUR.\nA\u2028month 🦅"
    assert [e.data["quote"] for e in events if e.name == "citation"] == [QUOTE]
    assert done["message_id"] == meta["message_id"]
    assert (done["finish_reason"], done["answerable"], done["reason"]) == ("stop", True, None)
    assert done["usage"] == {"prompt_tokens": 30, "completion_tokens": 5, "embedding_tokens": 0, "cost_microdollars": 7}
    assert done["cost_microdollars"] == 7
    assert done["confidence"] == 0.9
    assert {"retrieve", "first_token", "model", "total"} <= done["latency_ms"].keys()


def test_both_ways_of_asking_tell_and_keep_the_same(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = ANSWER
    events = client.stream()
    body = client.chat().json()

    done = events[-1].data
    assert body["answer"] == "".join(e.data["text"] for e in events if e.name == "delta")
    assert body["citations"] == [e.data for e in events if e.name == "citation"]
    assert body["sources"] == events[1].data["sources"]
    assert {name: body[name] for name in ("answerable", "reason", "confidence", "finish_reason", "usage")} == {
        name: done[name] for name in ("answerable", "reason", "confidence", "finish_reason", "usage")
    }
    streamed, blocking = rows(tenant, "messages")[1::2]
    varying = {"id", "conversation_id", "created_at", "latency_ms"}
    assert {k: v for k, v in streamed.items() if k not in varying} == {
        k: v for k, v in blocking.items() if k not in varying
    }


def test_meta_is_sent_before_the_model_is_asked(services: Services, client: ChatClient, model: ScriptedModel) -> None:
    sent_when_asked: list[bytes] = []
    received: list[bytes] = []
    model.script = [lambda: sent_when_asked.extend(received), *ANSWER]
    deliver(services, client, received.append)
    assert b"event: meta" in sent_when_asked[0]


def test_a_refusal_is_streamed_like_an_answer(client: ChatClient, retriever: FakeRetriever) -> None:
    retriever.confidence = 0.1
    events = client.stream()
    assert names(events) == ["meta", "sources", "delta", "done"]
    assert events[1].data == {"sources": []}
    assert events[2].data["text"].startswith("I don't know")
    assert (events[3].data["answerable"], events[3].data["reason"]) == (False, "no_relevant_passage")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([AnswerDelta("It "), UnavailableError("The model does not answer.")], "unavailable"),
        ([AnswerDelta("It "), RuntimeError("vendor says no")], "internal_error"),
        ([AnswerDelta("It ")], "unavailable"),  # cut off without an end
    ],
)
def test_a_stream_that_fails_says_so(
    client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows, script: list[Any], code: str
) -> None:
    model.script = script
    events = client.stream()
    assert names(events) == ["meta", "sources", "delta", "error"]
    problem = events[-1].data
    assert (problem["code"], problem["request_id"]) == (code, "request-1")
    assert "vendor" not in str(problem)
    question, answer = rows(tenant, "messages")
    assert (answer["content"], answer["finish_reason"], answer["answerable"]) == ("It ", "error", False)
    assert question["role"] == "user"


def test_an_answer_that_cannot_be_kept_is_not_done(
    client: ChatClient, model: ScriptedModel, services: Services, tenant: Tenant, rows: Rows
) -> None:
    def break_database() -> None:
        with services.database.transaction(tenant.organization_id) as connection:
            connection.execute("DELETE FROM bots")

    model.script = [break_database, *ANSWER]
    events = client.stream()
    # How much of it is told depends on when the watch sees that the answer has gone.
    assert names(events)[:2] == ["meta", "sources"]
    assert "done" not in names(events)
    assert (events[-1].name, events[-1].data["code"]) == ("error", "not_found")
    assert rows(tenant, "conversations") == []


def test_text_that_cannot_be_stored_costs_that_answer_and_no_other(client: ChatClient, model: ScriptedModel) -> None:
    model.script = [AnswerDelta("\x00"), AnswerEnd("stop", 1, 1, 0)]
    assert client.stream()[-1].data["code"] == "internal_error"
    model.script = ANSWER
    assert client.stream()[-1].name == "done"


def test_an_answer_that_takes_too_long_is_ended(
    services: Services, client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    seconds = [0.0]

    def wait() -> None:
        seconds[0] += writing.MAX_ANSWER_SECONDS + 1

    model.script = [AnswerDelta("It "), wait, *ANSWER]
    slow = Services(
        services.database, services.retriever, model, services.clock, services.ids, timer=lambda: seconds[0]
    )
    client.app = chat_app(lambda: slow)
    events = client.stream()
    assert events[-1].name == "error"
    assert events[-1].data["code"] == "unavailable"
    assert model.closed == 1
    assert rows(tenant, "messages")[1]["content"] == "It "


def test_what_fails_before_the_first_event_has_a_status(client: ChatClient, model: ScriptedModel) -> None:
    missing = client.chat(bot_id=uuid4(), stream=True)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    unknown = client.chat(conversation_id=str(uuid4()), stream=True)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert model.requests == []


def test_silence_is_filled_with_heartbeats(services: Services, client: ChatClient, model: ScriptedModel) -> None:
    beat = Signal()
    model.script = [lambda: assert_(beat.wait(TIMEOUT)), *ANSWER]
    received: list[bytes] = []

    def receive(data: bytes) -> None:
        received.append(data)
        if data == HEARTBEAT:
            beat.set()

    deliver(services, client, receive, heartbeat_seconds=0.01)
    assert names(events_of(b"".join(received).decode())) == ["meta", "sources", "delta", "citation", "done"]


def test_silence_of_the_search_is_filled_with_heartbeats_too(
    services: Services, client: ChatClient, model: ScriptedModel, retriever: FakeRetriever
) -> None:
    beat = Signal()

    class SlowRetriever(FakeRetriever):
        def assemble(self, found: SearchResult, token_budget: int) -> Sequence[Passage]:
            assert_(beat.wait(TIMEOUT))
            return super().assemble(found, token_budget)

    model.script = ANSWER
    received: list[bytes] = []

    def receive(data: bytes) -> None:
        received.append(data)
        if data == HEARTBEAT:
            beat.set()

    slow = replace(services, retriever=SlowRetriever(retriever.passages))
    deliver(slow, client, receive, heartbeat_seconds=0.01)
    assert received.index(HEARTBEAT) == 1
    assert events_of(b"".join(received).decode())[-1].name == "done"


@pytest.mark.parametrize("leaves_at", [b"event: meta", b"event: sources", b"event: delta"])
def test_the_answer_is_kept_when_the_client_leaves(
    services: Services, client: ChatClient, model: ScriptedModel, tenant: Tenant, rows: Rows, leaves_at: bytes
) -> None:
    model.script = ANSWER

    def receive(data: bytes) -> None:
        if leaves_at in data:
            raise OSError("the client has left")

    deliver(services, client, receive)
    answer = rows(tenant, "messages")[1]
    assert (answer["content"], answer["finish_reason"]) == ("It costs 49 EUR.\nA\u2028month 🦅", "stop")
    assert len(answer["citations"]) == 1


def assert_(condition: bool) -> None:
    assert condition


def deliver(
    services: Services,
    client: ChatClient,
    receive: Callable[[bytes], None],
    *,
    heartbeat_seconds: float = TIMEOUT,
    leaves: tuple[Signal, Signal] | None = None,
    key: str | None = None,
) -> None:
    """Stream a question to `receive`.

    Where `leaves` is given, the server says after the first signal that the client has left, and then gives the other.
    """
    app = chat_app(lambda: services, heartbeat_seconds=heartbeat_seconds)
    requests: Iterator[Message] = iter(
        [{"type": "http.request", "body": b'{"message": "What does it cost?", "stream": true}', "more_body": False}]
    )

    async def asgi_receive() -> Message:
        for request in requests:
            return request
        if leaves is None:
            await anyio.sleep_forever()
        else:
            left, told = leaves
            await anyio.to_thread.run_sync(left.wait, TIMEOUT)
            asyncio.get_running_loop().call_soon(told.set)
        return {"type": "http.disconnect"}

    async def asgi_send(message: Message) -> None:
        if message.get("body"):
            receive(message["body"])

    headers = {"content-type": "application/json"} | client.context() | ({"idempotency-key": key} if key else {})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "path": f"/v1/bots/{client.tenant.bot_id}/chat",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def run() -> None:
        with anyio.fail_after(TIMEOUT):
            await app(scope, asgi_receive, asgi_send)

    anyio.run(run)
