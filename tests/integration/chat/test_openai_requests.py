"""What OpenAI's clients may not send, who may not ask, and how they hear of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from chatsphere.access.permissions import Scope
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.errors import ProviderRejectedError, UnavailableError
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, says
from tests.integration.chat.client import ChatClient, MakeClient
from tests.integration.chat.openai_client import OpenAiCaller

Ask = Callable[..., httpx.Response]
USER = {"role": "user", "content": "What does it cost?"}


@pytest.fixture
def ask(client: ChatClient, tenant: Tenant) -> Ask:
    def ask(route: str = "chat/completions", **fields: Any) -> httpx.Response:
        said = {"messages": [USER]} if route == "chat/completions" else {"input": "What does it cost?"}
        body = {"model": str(tenant.bot_id), **said, **fields}
        return client.post(f"/v1/{route}", {name: value for name, value in body.items() if value is not ...})

    return ask


def part(kind: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": kind, kind: {}}]}]}


COMPLETIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"model": ...}, "model", "missing_required_parameter"),
    ({"messages": ...}, "messages", "missing_required_parameter"),
    ({"messages": []}, "messages", "invalid_value"),
    ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages", "invalid_value"),
    ({"messages": [{"role": "user", "content": " "}]}, "messages", "invalid_value"),
    ({"messages": [{"role": "user", "content": "x" * 8001}]}, "messages", "invalid_value"),
    ({"messages": [{"role": "system", "content": "x" * 20_001}, USER]}, "messages", "invalid_value"),
    ({"messages": [{"role": "king", "content": "Hi"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "tool", "content": "7"}, USER]}, "messages[0].role", "unsupported_value"),
    (
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}, USER]},
        "messages[0].tool_calls",
        "unsupported_value",
    ),
    (part("image_url"), "messages[0].content[0].type", "unsupported_value"),
    (part("input_audio"), "messages[0].content[0].type", "unsupported_value"),
    (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
    ({"functions": [{"name": "f"}]}, "functions", "unsupported_parameter"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format", "unsupported_value"),
    ({"logprobs": True}, "logprobs", "unsupported_parameter"),
    ({"modalities": ["text", "audio"]}, "modalities", "unsupported_value"),
    ({"n": 2}, "n", "invalid_value"),
    ({"temperature": 3}, "temperature", "invalid_value"),
    ({"max_tokens": 0}, "max_tokens", "invalid_value"),
    ({"stop": ["a", ""]}, "stop", "invalid_value"),
    ({"stop": list("abcde")}, "stop", "invalid_value"),
    ({"stop": "x" * 501}, "stop", "invalid_value"),
    ({"metadata": {"a": "x" * 513}}, "metadata.a", "invalid_value"),
    ({"metadata": {"conversation_id": "7"}}, "metadata.conversation_id", "invalid_value"),
    ({"colour": "red"}, "colour", "unknown_parameter"),
]
RESPONSES: list[tuple[dict[str, Any], str, str]] = [
    ({"input": ...}, "input", "missing_required_parameter"),
    ({"input": [{"type": "function_call_output", "call_id": "1"}]}, "input[0].type", "unsupported_value"),
    ({"input": [{"content": "Hi"}]}, "input[0].role", "missing_required_parameter"),
    (
        {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
        "input[0].content[0].type",
        "unsupported_value",
    ),
    ({"text": {"format": {"type": "json_object"}}}, "text", "unsupported_value"),
    ({"background": True}, "background", "unsupported_parameter"),
    ({"conversation": "conv_1"}, "conversation", "unsupported_parameter"),
    ({"instructions": "x" * 20_001}, "input", "invalid_value"),
    ({"max_output_tokens": -1}, "max_output_tokens", "invalid_value"),
]
BAD = [("chat/completions", *each) for each in COMPLETIONS] + [("responses", *each) for each in RESPONSES]


@pytest.mark.parametrize(("route", "fields", "param", "code"), BAD, ids=[f"{e[0]}:{e[2]}:{e[3]}" for e in BAD])
def test_a_bad_request_is_refused_and_the_parameter_named(
    ask: Ask, model: ScriptedModel, route: str, fields: dict[str, Any], param: str, code: str
) -> None:
    answer = ask(route, **fields)

    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    # Where a value may be of several kinds, the validator names the kind, too.
    assert error["param"].startswith(param)
    assert error["code"] == code
    assert error["message"]
    assert model.requests == []


def test_a_body_that_is_none_is_refused(client: ChatClient) -> None:
    for content in (b"", b"{", b"[]", b'"x"'):
        answer = client.post("/v1/chat/completions", content=content)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert client.post("/v1/responses", content=b'{"a":"' + b"x" * 1024 * 1024 + b'"}').status_code == 413
    assert client.post("/v1/responses", {}, headers={"content-type": "text/plain"}).status_code == 415


def test_what_changes_nothing_is_taken(ask: Ask, model: ScriptedModel) -> None:
    model.script = says("It costs 49 EUR.")
    plain = {"tools": [], "tool_choice": "auto", "store": False, "service_tier": "auto", "top_p": 0.5, "n": None}
    penalties = {"presence_penalty": 1, "frequency_penalty": 1, "logit_bias": {"5": 1}, "seed": 1}
    assert ask(**plain | {"n": 1}, **penalties, response_format={"type": "text"}, verbosity="low").status_code == 200
    del plain["n"]
    said = {"text": {"format": {"type": "text"}, "verbosity": "low"}, "reasoning": {"effort": "low"}, "include": []}
    assert ask("responses", **plain, **said, truncation="auto", parallel_tool_calls=False).status_code == 200


def test_an_unknown_and_a_foreign_model_are_answered_alike(
    make_client: MakeClient, make_tenant: Callable[[], Tenant], tenant: Tenant
) -> None:
    stranger, limited = make_client(tenant=make_tenant()), make_client(bot_ids=frozenset({uuid4()}))
    for route, said in (("chat/completions", {"messages": [USER]}), ("responses", {"input": "?"})):
        for client in (stranger, limited):
            theirs, nobodys, slug = (
                client.post(f"/v1/{route}", {"model": model, **said})
                for model in (str(tenant.bot_id), str(UUID(int=7)), "no-such-bot")
            )
            assert [a.status_code for a in (theirs, nobodys, slug)] == [404] * 3
            assert theirs.json()["error"]["code"] == "model_not_found"
            shapes = [a.text.replace(m, "") for a, m in ((theirs, str(tenant.bot_id)), (nobodys, str(UUID(int=7))))]
            assert shapes[0] == shapes[1]


def test_who_may_not_ask_hears_that_first(make_client: MakeClient, tenant: Tenant) -> None:
    reader = make_client(scopes=frozenset({Scope.BOTS_READ}))
    for body in ({"model": str(tenant.bot_id), "messages": [USER]}, {}):
        answer = reader.post("/v1/chat/completions", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    nobody = reader.post("/v1/chat/completions", {}, headers={"x-amzn-request-context": ""})
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("failure", "status", "type_"),
    [(RuntimeError("the vendor's words"), 500, "server_error"), (UnavailableError(), 503, "server_error")],
)
def test_the_clients_error_classes_are_raised(
    services: Services, tenant: Tenant, model: ScriptedModel, failure: Exception, status: int, type_: str
) -> None:
    model.script = [failure]

    async def complete(client: AsyncOpenAI) -> Any:
        return await client.chat.completions.create(
            model=str(tenant.bot_id), messages=[{"role": "user", "content": "?"}]
        )

    with pytest.raises(openai.InternalServerError) as raised:
        OpenAiCaller(chat_app(lambda: services), tenant).call(complete)

    assert (raised.value.status_code, raised.value.type) == (status, type_)
    assert raised.value.request_id == "request-1"
    assert "vendor" not in str(raised.value)


def test_the_client_tries_again_what_may_pass_and_nothing_else(
    services: Services, tenant: Tenant, model: ScriptedModel
) -> None:
    async def complete(client: AsyncOpenAI) -> str | None:
        # The client would wait as long as the answer says.
        again = client.with_options(max_retries=2)
        made = await again.chat.completions.with_raw_response.create(
            model=str(tenant.bot_id), messages=[{"role": "user", "content": "?"}]
        )
        return made.parse().choices[0].message.content

    caller = OpenAiCaller(chat_app(lambda: services), tenant)
    model.script = [ProviderRejectedError()]
    with pytest.raises(openai.InternalServerError):
        caller.call(complete)
    assert len(model.requests) == 1

    def recover() -> None:
        model.script = says("Here it is.")
        raise RuntimeError

    model.script = [recover]
    assert caller.call(complete) == "Here it is."
    assert len(model.requests) == 3


def test_a_bot_that_is_switched_off_is_not_asked_again(
    services: Services, tenant: Tenant, client: ChatClient, ask: Ask
) -> None:
    with services.database.transaction(tenant.organization_id) as connection:
        connection.execute("UPDATE bots SET is_active = false")

    answer = ask()

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "bot_inactive")
    assert answer.headers["x-should-retry"] == "false"


def test_a_month_that_is_used_up_is_insufficient_quota(services: Services, tenant: Tenant, ask: Ask) -> None:
    with services.database.transaction(tenant.organization_id) as connection:
        connection.execute("UPDATE organizations SET monthly_budget_tokens = 1")

    answer = ask()

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["code"] == "budget_exhausted"
