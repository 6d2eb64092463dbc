"""Responses, as the official client of OpenAI's API reads them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.responses import Response, ResponseStreamEvent

from chatsphere.access.permissions import Scope
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.errors import AnswerBlockedError, UnavailableError
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd
from tests.conftest import Tenant
from tests.fakes_chat import ScriptedModel, Step, says
from tests.integration.chat.client import MakeClient, Rows
from tests.integration.chat.openai_client import OpenAiCaller

QUOTE = "It costs 49 EUR a month."
ANSWER: Sequence[Step] = [
    AnswerDelta("It costs "),
    AnswerDelta("49 EUR."),
    AnswerCitation(1, QUOTE, 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]


@pytest.fixture
def caller(services: Services, tenant: Tenant) -> OpenAiCaller:
    return OpenAiCaller(chat_app(lambda: services), tenant)


def respond(caller: OpenAiCaller, given: Any = "What does it cost?", **fields: Any) -> Response:
    async def ask(client: AsyncOpenAI) -> Response:
        body: Any = {"model": str(caller.tenant.bot_id), "input": given, **fields}
        response: Response = await client.responses.create(**body)
        return response

    return caller.call(ask)


def stream(caller: OpenAiCaller, **fields: Any) -> list[ResponseStreamEvent]:
    async def ask(client: AsyncOpenAI) -> list[ResponseStreamEvent]:
        body: Any = {"model": str(caller.tenant.bot_id), "input": "What does it cost?", **fields}
        return [event async for event in await client.responses.create(stream=True, **body)]

    return caller.call(ask)


def read(caller: OpenAiCaller, response_id: str) -> Response:
    async def ask(client: AsyncOpenAI) -> Response:
        return await client.responses.retrieve(response_id)

    return caller.call(ask)


def lasting(response: Response) -> dict[str, Any]:
    """Return all of a response but how long it took: keeping it is not over when that is kept."""
    body: dict[str, Any] = response.to_dict()
    assert body["chatsphere"].pop("latency_ms")["total"] >= 0
    return body


def test_an_answer_has_its_citations_and_its_usage(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER

    response = respond(caller, instructions="Be brief.", metadata={"ticket": "7"}, max_output_tokens=50, user="ada")

    assert (response.status, response.output_text) == ("completed", "It costs 49 EUR.")
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (30, 5, 35)
    part: Any = response.to_dict()["output"]
    (annotation,) = part[0]["content"][0]["annotations"]
    assert (annotation["type"], annotation["start_index"], annotation["end_index"]) == ("url_citation", 0, 16)
    assert annotation["quote"] == QUOTE
    assert annotation["url"].endswith("/source#page=2")
    assert (response.instructions, response.metadata) == ("Be brief.", {"ticket": "7"})
    assert (response.max_output_tokens, response.user) == (50, "ada")
    (request,) = model.requests
    assert (request.system_prompt.endswith("Be brief."), request.max_output_tokens) == (True, 50)


def test_a_response_is_read_again(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER
    first = respond(caller, metadata={"ticket": "7"}, user="ada")
    second = respond(caller, "And Heron?", previous_response_id=first.id, metadata={"ticket": "8"}, user="ada")

    assert [lasting(read(caller, made.id)) for made in (first, second)] == [lasting(first), lasting(second)]


def test_a_streamed_response_is_the_same(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER

    events = stream(caller)

    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "It costs 49 EUR."
    last = events[-1]
    assert last.type == "response.completed"
    assert lasting(read(caller, last.response.id)) == lasting(last.response)


def test_the_clients_own_reader_of_streams_reads_it(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER

    async def ask(client: AsyncOpenAI) -> Response:
        async with client.responses.stream(model=str(caller.tenant.bot_id), input="What does it cost?") as streamed:
            return await streamed.get_final_response()

    assert caller.call(ask).output_text == "It costs 49 EUR."


def test_a_response_goes_on_from_an_earlier_one(
    caller: OpenAiCaller, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    model.script = says("Falcon costs 49 EUR.")
    first = respond(caller, "What does Falcon cost?")
    respond(caller, "And Heron?", previous_response_id=first.id)

    branch = respond(
        caller,
        [{"role": "assistant", "content": "Ask on."}, {"role": "user", "content": "And Owl?"}],
        previous_response_id=first.id,
    )

    said = [turn.content for turn in model.requests[-1].history]
    assert said == ["What does Falcon cost?", "Falcon costs 49 EUR.", "Ask on."]
    assert branch.previous_response_id == first.id
    assert len(rows(tenant, "conversations")) == 1


@pytest.mark.parametrize("response_id", [f"resp_{UUID(int=7).hex}", "resp_nothing", "7"])
def test_an_unknown_response_is_not_found(caller: OpenAiCaller, response_id: str) -> None:
    with pytest.raises(openai.NotFoundError) as unread:
        read(caller, response_id)
    with pytest.raises(openai.NotFoundError) as unanswered:
        respond(caller, previous_response_id=response_id)
    assert unread.value.message == unanswered.value.message


def test_a_response_of_another_tenant_or_bot_is_not_found(
    caller: OpenAiCaller, model: ScriptedModel, services: Services, make_tenant: Any
) -> None:
    model.script = ANSWER
    theirs = respond(caller).id
    stranger = OpenAiCaller(chat_app(lambda: services), make_tenant())
    limited = OpenAiCaller(chat_app(lambda: services), caller.tenant, bot_ids=frozenset({uuid4()}))

    for asking in (stranger, limited):
        with pytest.raises(openai.NotFoundError):
            read(asking, theirs)
        with pytest.raises(openai.NotFoundError):
            respond(asking, previous_response_id=theirs)


def test_a_key_that_may_not_read_conversations_names_whose_it_goes_on_with(
    model: ScriptedModel, services: Services, tenant: Tenant
) -> None:
    model.script = ANSWER
    key = OpenAiCaller(chat_app(lambda: services), tenant, api_key_id=uuid4(), scopes=frozenset({Scope.CHAT}))
    adas = respond(key, user="ada")
    conversation = (adas.model_extra or {})["chatsphere"]["conversation_id"]

    for named in ({"previous_response_id": adas.id}, {"metadata": {"conversation_id": conversation}}):
        with pytest.raises(openai.NotFoundError):
            respond(key, **named)
        assert respond(key, user="ada", **named).output_text == "It costs 49 EUR."


def test_an_answer_of_another_route_is_no_response(
    caller: OpenAiCaller, model: ScriptedModel, make_client: MakeClient
) -> None:
    model.script = ANSWER
    native = make_client().chat().json()["message_id"]
    with pytest.raises(openai.NotFoundError):
        read(caller, f"resp_{native.replace('-', '')}")


def test_a_stream_that_fails_ends_as_failed_and_can_be_asked_for_again(
    make_client: MakeClient, caller: OpenAiCaller, model: ScriptedModel
) -> None:
    model.script = [AnswerDelta("It "), UnavailableError("The model does not answer.")]

    last = stream(caller)[-1]

    assert last.type == "response.failed"
    assert last.response.error is not None
    assert last.response.error.message == "The model does not answer."
    assert read(caller, last.response.id).status == "failed"
    body = {"model": str(caller.tenant.bot_id), "input": "?", "stream": True}
    make_client().post("/v1/responses", body, headers={"Idempotency-Key": "k"})
    model.script = ANSWER
    second = make_client().post("/v1/responses", body, headers={"Idempotency-Key": "k"})
    assert "event: response.completed\n" in second.text


def test_an_answer_that_was_ended_early_is_incomplete(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = [AnswerDelta("It"), AnswerEnd("length", 3, 2, 1)]
    short = respond(caller)
    model.script = [AnswerDelta("It"), AnswerBlockedError()]
    blocked = stream(caller)[-1]

    assert short.incomplete_details is not None
    assert (short.status, short.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert blocked.type == "response.incomplete"
    assert blocked.response.incomplete_details is not None
    assert blocked.response.incomplete_details.reason == "content_filter"
