"""Chat completions, as the official client of OpenAI's API reads them."""

from collections.abc import Sequence
from typing import Any

import httpx2
import openai
import psycopg
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from chatsphere.chat.asgi import chat_app
from chatsphere.chat.services import Services
from chatsphere.errors import AnswerBlockedError, UnavailableError
from chatsphere.http.event_stream import HEARTBEAT
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation, AnswerDelta, AnswerEnd, Turn
from tests.conftest import Tenant
from tests.fakes_chat import FakeRetriever, ScriptedModel, Step, says
from tests.integration.chat.client import MakeClient, Rows
from tests.integration.chat.openai_client import OpenAiCaller
from tests.postgres import DatabaseUrls

QUOTE = "It costs 49 EUR a month."
ANSWER: Sequence[Step] = [
    AnswerDelta("It costs "),
    AnswerDelta("49 EUR."),
    AnswerCitation(1, QUOTE, 0, 16),
    AnswerEnd("stop", 30, 5, 7),
]
QUESTION = {"role": "user", "content": "What does it cost?"}


@pytest.fixture
def caller(services: Services, tenant: Tenant) -> OpenAiCaller:
    return OpenAiCaller(chat_app(lambda: services), tenant)


def complete(caller: OpenAiCaller, *messages: dict[str, Any], **fields: Any) -> ChatCompletion:
    async def ask(client: AsyncOpenAI) -> ChatCompletion:
        given: Any = {"model": str(caller.tenant.bot_id), "messages": list(messages) or [QUESTION], **fields}
        completion: ChatCompletion = await client.chat.completions.create(**given)
        return completion

    return caller.call(ask)


def stream(caller: OpenAiCaller, **fields: Any) -> list[ChatCompletionChunk]:
    async def ask(client: AsyncOpenAI) -> list[ChatCompletionChunk]:
        given: Any = {"model": str(caller.tenant.bot_id), "messages": [QUESTION], **fields}
        return [chunk async for chunk in await client.chat.completions.create(stream=True, **given)]

    return caller.call(ask)


def test_an_answer_has_its_citations_and_its_usage(
    caller: OpenAiCaller, model: ScriptedModel, source: Passage, tenant: Tenant
) -> None:
    model.script = ANSWER

    answer = complete(caller, metadata={"ticket": "7"})

    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("It costs 49 EUR.", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (30, 5, 35)
    assert answer.metadata == {"ticket": "7"}
    (annotation,) = choice.message.annotations or []
    cited = annotation.url_citation
    assert (cited.start_index, cited.end_index, cited.title) == (0, 16, "plans.md")
    base = "https://api.example.com/prod"
    assert cited.url == f"{base}/v1/bots/{tenant.bot_id}/documents/{source.document_id}/source#page=2"
    extra = cited.model_extra or {}
    assert (extra["quote"], extra["page"], extra["char_start"]) == (QUOTE, 2, 130)
    ours = (answer.model_extra or {})["chatsphere"]
    assert (ours["answerable"], ours["confidence"], ours["cost_microdollars"]) == (True, 0.9, 7)
    assert answer.id == "chatcmpl-" + ours["message_id"].replace("-", "")


def test_a_streamed_answer_is_the_same(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER

    chunks = stream(caller, stream_options={"include_usage": True})

    whole = complete(caller)
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    streamed = [each for delta in deltas for each in (delta.model_extra or {}).get("annotations", ())]
    assert streamed == [each.model_dump() for each in whole.choices[0].message.annotations or []]
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1


def test_what_the_documents_do_not_say_is_a_plain_answer(caller: OpenAiCaller, retriever: FakeRetriever) -> None:
    retriever.confidence = 0.1

    answer = complete(caller)

    assert answer.choices[0].finish_reason == "stop"
    assert (answer.choices[0].message.content or "").startswith("I don't know")
    assert (answer.model_extra or {})["chatsphere"]["reason"] == "no_relevant_passage"


def test_the_client_lays_down_history_system_messages_and_limits(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = ANSWER

    complete(
        caller,
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Tell me of "}, {"type": "text", "text": "Falcon."}]},
        {"role": "assistant", "content": "A plan."},
        {"role": "developer", "content": "Be kind."},
        QUESTION,
        temperature=1.5,
        max_completion_tokens=9,
        max_tokens=10,
        top_p=0.1,
        seed=4,
        reasoning_effort="low",
    )

    (request,) = model.requests
    assert list(request.history) == [Turn("user", "Tell me of Falcon."), Turn("assistant", "A plan.")]
    assert request.system_prompt.endswith("Be brief.\n\nBe kind.")
    assert (request.temperature, request.max_output_tokens) == (1.5, 9)
    complete(caller, max_tokens=100_000)
    assert model.requests[-1].max_output_tokens == 1024


@pytest.mark.parametrize("stop", [["STOP and", "never"], "STOP and"])
def test_an_answer_ends_before_a_stop_sequence(
    caller: OpenAiCaller, model: ScriptedModel, tenant: Tenant, rows: Rows, stop: str | list[str]
) -> None:
    model.script = says("It costs 49 E", "UR a month. STO", "P and more")

    answer = complete(caller, stop=stop)

    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("It costs 49 EUR a month. ", "stop")
    assert rows(tenant, "messages")[1]["content"] == "It costs 49 EUR a month. "
    assert model.closed == 1


def test_a_history_goes_on_with_the_conversation_that_ended_with_it(
    caller: OpenAiCaller, model: ScriptedModel, tenant: Tenant, rows: Rows
) -> None:
    def ask(*said: str, **fields: Any) -> str:
        roles = ("user", "assistant")
        messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
        answer = complete(caller, *messages, **fields)
        conversation: str = (answer.model_extra or {})["chatsphere"]["conversation_id"]
        return conversation

    model.script = says("Hello.")
    first, second, named, nobodys = (ask("Hi", **who) for who in ({"user": "bob"},) * 2 + ({"user": "ada"}, {}))
    assert len({first, second, named, nobodys}) == 4

    assert ask("Hi", "Hello.", "And?", user="ada") == named
    assert ask("Hi", "Hello.", "What?", user="eve") not in (first, second, named)
    assert ask("Hi", "Something else.", "What?", user="bob") not in (first, second, named)
    assert ask("Hi", "Hello.", "And?") not in (first, second, named, nobodys)
    assert {ask("Hi", " Hello.\n", "And?", user="bob"), ask("Hi", "Hello.", "And?", user="bob")} == {first, second}
    assert ask("Hi", "Hello.", "And?", "Hello.", "So?", user="bob") in (first, second)
    assert ask("So?", metadata={"conversation_id": named}) == named
    assert {row["channel"] for row in rows(tenant, "conversations")} == {"openai"}
    assert [turn.content for turn in model.requests[-1].history] == ["Hi", "Hello.", "And?", "Hello."]


def test_a_conversation_goes_on_while_its_last_answer_is_still_worked_on(
    caller: OpenAiCaller, model: ScriptedModel, database_urls: DatabaseUrls
) -> None:
    follow_up = [QUESTION, {"role": "assistant", "content": "Hello."}, QUESTION]
    model.script = says("Hello.")
    first = (complete(caller, user="ada").model_extra or {})["chatsphere"]["conversation_id"]

    # What refers to a row holds it so until its transaction ends.
    with psycopg.connect(database_urls.admin) as other:
        other.execute("SELECT FROM conversations WHERE id = %s FOR KEY SHARE", (first,))
        followed = complete(caller, *follow_up, user="ada")

    assert (followed.model_extra or {})["chatsphere"]["conversation_id"] == first


def test_a_conversation_goes_on_after_an_answer_that_failed(caller: OpenAiCaller, model: ScriptedModel) -> None:
    follow_up = [QUESTION, {"role": "assistant", "content": "Hello."}, QUESTION]
    model.script = says("Hello.")
    first = (complete(caller, user="ada").model_extra or {})["chatsphere"]["conversation_id"]
    model.script = [UnavailableError()]
    with pytest.raises(openai.InternalServerError):
        complete(caller, *follow_up, user="ada")

    model.script = says("Hello.")

    assert (complete(caller, *follow_up, user="ada").model_extra or {})["chatsphere"]["conversation_id"] == first


@pytest.mark.parametrize("streamed", [True, False])
def test_what_the_safety_rules_stop_is_filtered_content(
    caller: OpenAiCaller, model: ScriptedModel, streamed: bool
) -> None:
    model.script = [AnswerDelta("It "), AnswerBlockedError()]

    if streamed:
        reasons = [choice.finish_reason for chunk in stream(caller) for choice in chunk.choices]
        assert reasons[-1] == "content_filter"
    else:
        (choice,) = complete(caller).choices
        assert (choice.finish_reason, choice.message.content) == ("content_filter", "It ")


def test_an_answer_that_reached_its_limit_says_so(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = [AnswerDelta("It costs"), AnswerEnd("length", 3, 2, 1)]
    assert complete(caller).choices[0].finish_reason == "length"


def test_a_stream_that_fails_raises_where_it_is_read(caller: OpenAiCaller, model: ScriptedModel) -> None:
    model.script = [AnswerDelta("It "), UnavailableError("The model does not answer.")]

    with pytest.raises(openai.APIError, match=r"The model does not answer\.") as raised:
        stream(caller)

    assert raised.value.type == "server_error"


def test_silence_in_a_stream_does_not_disturb_the_client(
    make_client: MakeClient, model: ScriptedModel, tenant: Tenant
) -> None:
    model.script = ANSWER
    body = {"model": str(tenant.bot_id), "messages": [QUESTION], "stream": True}
    frames = make_client().post("/v1/chat/completions", body).content.split(b"\n\n")

    async def slowly(_: httpx2.Request) -> httpx2.Response:
        silent = HEARTBEAT.join(frame + b"\n\n" for frame in frames[:-1])
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=HEARTBEAT + silent)

    chunks = stream(OpenAiCaller(httpx2.MockTransport(slowly), tenant))

    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == "It costs 49 EUR."


def test_a_keyed_request_is_answered_once(make_client: MakeClient, model: ScriptedModel, tenant: Tenant) -> None:
    model.script = ANSWER
    body = {"model": str(tenant.bot_id), "messages": [QUESTION], "stream": True}

    first, second = (
        make_client().post("/v1/chat/completions", body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert first.text.endswith("data: [DONE]\n\n")
    assert second.text == first.text
    assert len(model.requests) == 1
