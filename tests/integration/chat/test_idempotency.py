"""A question that is repeated with its Idempotency-Key is answered again and not asked again."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.errors import ProviderOverloadedError
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, says
from tests.integration.chat.client import ChatClient, MakeClient, Rows, events_of

QUESTION = "What does it cost?"


@pytest.fixture
def ask(client: ChatClient, tenant: Tenant) -> Callable[..., httpx.Response]:
    key = str(uuid4())

    def ask(message: str = QUESTION, *, to: str = "chat", **fields: Any) -> httpx.Response:
        body = {"message" if to == "chat" else "query": message, **fields}
        return client.post(f"/v1/bots/{tenant.bot_id}/{to}", body, headers={"Idempotency-Key": key})

    return ask


def assert_replays(first: httpx.Response, second: httpx.Response) -> None:
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


def test_an_answer_in_one_piece_is_given_again(
    ask: Callable[..., httpx.Response], model: ScriptedModel, rows: Rows, tenant: Tenant
) -> None:
    model.script = says("It costs 49 EUR.")

    first, second = ask(), ask()

    assert first.json()["answer"] == "It costs 49 EUR."
    assert_replays(first, second)
    assert len(model.requests) == 1
    assert len(rows(tenant, "messages")) == 2


def test_a_stream_is_given_again_event_by_event(
    ask: Callable[..., httpx.Response], model: ScriptedModel, rows: Rows, tenant: Tenant
) -> None:
    model.script = says("It costs ", "49 EUR – “only”.")

    first, second = ask(stream=True), ask(stream=True)

    assert [event.name for event in events_of(first.text)][-1] == "done"
    assert_replays(first, second)
    assert second.headers["content-type"].startswith("text/event-stream")
    assert len(model.requests) == 1
    assert len(rows(tenant, "messages")) == 2


def test_a_search_is_answered_again(ask: Callable[..., httpx.Response]) -> None:
    assert_replays(ask(to="search"), ask(to="search"))


def test_a_stream_that_failed_can_be_asked_for_again(ask: Callable[..., httpx.Response], model: ScriptedModel) -> None:
    model.script = [*says("It costs ")[:1], ProviderOverloadedError()]
    assert [event.name for event in events_of(ask(stream=True).text)][-1] == "error"

    model.script = says("It costs 49 EUR.")
    second = ask(stream=True)

    assert "idempotency-replayed" not in second.headers
    assert [event.name for event in events_of(second.text)][-1] == "done"
    assert_replays(second, ask(stream=True))


def test_an_answer_that_failed_can_be_asked_for_again(ask: Callable[..., httpx.Response], model: ScriptedModel) -> None:
    model.script = [ProviderOverloadedError()]
    assert ask().status_code == 503
    model.script = says("It costs 49 EUR.")

    assert ask().status_code == 200


@pytest.mark.parametrize("stream", [True, False])
def test_a_key_belongs_to_one_question(ask: Callable[..., httpx.Response], model: ScriptedModel, stream: bool) -> None:
    model.script = says("It costs 49 EUR.")
    ask(stream=stream)

    answers = [ask("Something else?", stream=stream), ask(stream=not stream), ask(to="search")]

    assert [answer.json()["code"] for answer in answers] == ["idempotency_key_reused"] * 3
    assert len(model.requests) == 1


def test_a_bad_question_is_refused_the_same_way_again(ask: Callable[..., httpx.Response]) -> None:
    first = ask("")

    assert first.status_code == 422
    assert_replays(first, ask(""))


def test_of_two_keys_none_is_chosen(client: ChatClient, model: ScriptedModel, tenant: Tenant) -> None:
    two = {"Idempotency-Key": "first", "idempotency-key": "second"}

    answer = client.post(f"/v1/bots/{tenant.bot_id}/chat", {"message": QUESTION}, headers=two)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert model.requests == []


@pytest.mark.parametrize("stream", [True, False])
def test_every_answer_tells_what_is_left(
    ask: Callable[..., httpx.Response], model: ScriptedModel, stream: bool
) -> None:
    model.script = says("It costs 49 EUR.")

    answers = [ask(stream=stream), ask(stream=stream), ask("another")]

    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"requests";q=300;w=60'] * 3
    assert all(re.fullmatch(r'"requests";r=299;t=1', answer.headers["ratelimit"]) for answer in answers)


def test_while_a_stream_runs_its_key_is_in_use_and_a_client_that_leaves_misses_nothing(
    services: Services, make_client: MakeClient, model: ScriptedModel, tenant: Tenant
) -> None:
    headers = {"Idempotency-Key": "key"}
    client, body = make_client(), {"message": QUESTION, "stream": True}
    path = f"/v1/bots/{tenant.bot_id}/chat"
    met: list[httpx.Response] = []

    def meet() -> None:
        met.append(make_client().post(path, body, headers=headers))

    model.script = [*says("It costs ")[:1], meet, *says("49 EUR.")]
    leave_at_once(services, client, path, body)

    again = client.post(path, body, headers=headers)

    assert [(answer.status_code, answer.json()["code"]) for answer in met] == [(409, "request_in_progress")]
    assert met[0].headers["retry-after"] == "1"
    assert again.headers["idempotency-replayed"] == "true"
    assert [event.name for event in events_of(again.text)][-1] == "done"
    assert len(model.requests) == 1


def leave_at_once(services: Services, client: ChatClient, path: str, body: dict[str, Any]) -> None:
    """Ask, and be gone before the first byte."""

    async def gone(_: Any) -> None:
        raise OSError

    async def call() -> None:
        sent = httpx.Request(
            "POST",
            f"http://chat{path}",
            content=json.dumps(body),
            headers={**client.context(), "Idempotency-Key": "key"},
        )
        parts = [{"type": "http.request", "body": sent.content, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower(), value) for name, value in sent.headers.raw],
            "server": ("chat", 80),
            "scheme": "http",
        }
        await chat_app(lambda: services)(scope, receive, gone)

    anyio.run(call)
