"""The official client of OpenAI's API, unmodified, against the running product: it takes another base URL, no more."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response

from tests.e2e.client import TERMINAL, Client
from tests.e2e.handbook import PAGES, QUESTIONS, UNANSWERABLE
from tests.e2e.vendors import Vendors
from tests.loopback.gemini_faults import Cuts, SaysNothing
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
QUESTION, _, SAID = QUESTIONS[0]
ASKED: Any = [{"role": "user", "content": QUESTION}]


@dataclass(frozen=True)
class Product:
    """A bot of a developer's that answers from the handbook."""

    developer: Client
    bot_id: str
    slug: str
    document_id: str

    def key(self, **fields: Any) -> str:
        """Return a new API key that may chat."""
        answer = self.developer.http.post("/v1/api-keys", json={"name": "app", "scopes": ["chat"], **fields})
        assert answer.status_code == 201, answer.text
        key: str = answer.json()["key"]
        return key

    def client(self, key: str | None = None, max_retries: int = 0) -> OpenAI:
        """Return the official client."""
        return OpenAI(api_key=key or self.key(), base_url=f"{self.developer.api}/v1", max_retries=max_retries)


@pytest.fixture(scope="module")
def product(endpoints: dict[str, Any]) -> Product:
    return _product(Client.registered(endpoints["api"]))


@pytest.fixture
def client(product: Product) -> Iterator[OpenAI]:
    with product.client() as client:
        yield client


def _product(developer: Client) -> Product:
    bot = developer.bot(name="Handbook")
    document_id = developer.text(bot["id"], "handbook.txt", "\n\n".join(PAGES))

    def ended() -> str:
        status: str = developer.document(bot["id"], document_id)["status"]
        return status if status in TERMINAL else ""

    assert wait_for(ended, what="the handbook to be ready") == "ready"
    return Product(developer, bot["id"], bot["slug"], document_id)


def test_a_bot_is_a_model(product: Product, client: OpenAI) -> None:
    (listed,) = client.models.list()

    assert (listed.id, listed.object) == ("handbook", "model")
    assert client.models.retrieve(product.bot_id) == client.models.retrieve(product.slug) == listed


def test_a_blocking_and_a_streamed_answer(product: Product, client: OpenAI) -> None:
    answer = client.chat.completions.create(model=product.slug, messages=ASKED)
    chunks = list(
        client.chat.completions.create(
            model=product.bot_id, messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )

    (choice,) = answer.choices
    assert SAID in (choice.message.content or "")
    assert choice.finish_reason == "stop"
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == choice.message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    # What was asked before may be answered again for nothing.
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    (annotation, *_) = choice.message.annotations or []
    cited = annotation.url_citation
    assert SAID in (choice.message.content or "")[cited.start_index : cited.end_index]
    source = f"{product.developer.api}/v1/bots/{product.bot_id}/documents/{product.document_id}/source"
    assert cited.url.partition("#")[0] == source


def test_a_conversation_of_several_turns_is_kept_as_one(product: Product, client: OpenAI) -> None:
    messages: list[Any] = list(ASKED)
    conversations = set()
    for follow_up in ("And the Heron plan?", "How many users does it include?"):
        answer = client.chat.completions.create(model=product.slug, messages=messages, user="ada")
        conversations.add((answer.model_extra or {})["chatsphere"]["conversation_id"])
        messages += [answer.choices[0].message.to_dict(), {"role": "user", "content": follow_up}]

    (conversation,) = conversations
    kept = product.developer.http.get(f"/v1/conversations/{conversation}/messages").json()["data"]
    assert [message["role"] for message in kept] == ["user", "assistant"] * 2


def test_what_the_documents_do_not_say(product: Product, client: OpenAI) -> None:
    answer = client.chat.completions.create(model=product.slug, messages=[{"role": "user", "content": UNANSWERABLE[0]}])
    assert (answer.model_extra or {})["chatsphere"]["answerable"] is False


def test_a_response_blocking_streamed_continued_and_read_again(product: Product, client: OpenAI) -> None:
    question, _, said = QUESTIONS[2]
    first = client.responses.create(model=product.slug, input=question)
    with client.responses.stream(model=product.slug, input=question) as stream:
        streamed = stream.get_final_response()
    second = client.responses.create(
        model=product.slug, input="How long are backups kept?", previous_response_id=first.id
    )

    assert said in first.output_text
    assert streamed.output_text == first.output_text
    assert first.usage is not None
    assert first.usage.total_tokens > 0
    assert "ninety days" in second.output_text
    assert client.responses.retrieve(second.id).output_text == second.output_text


def test_the_client_that_does_not_block(product: Product) -> None:
    async def ask() -> tuple[list[str], str | None, Response]:
        async with AsyncOpenAI(api_key=product.key(), base_url=f"{product.developer.api}/v1") as client:
            listed = [model.id async for model in client.models.list()]
            stream = await client.chat.completions.create(model=product.slug, messages=ASKED, stream=True)
            told = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            return listed, "".join(told), await client.responses.create(model=product.slug, input=QUESTION)

    listed, told, response = asyncio.run(ask())

    assert listed == [product.slug]
    assert told == response.output_text


def test_it_raises_its_own_errors(product: Product, client: OpenAI) -> None:
    for credential in ("cs_live_nonsense", "sk-of-another-service"):
        with product.client(credential) as unknown, pytest.raises(openai.AuthenticationError) as refused:
            unknown.models.list()
        assert refused.value.code == "invalid_api_key"
    for model in ("no-such-bot", Client.registered(product.developer.api).bot()["id"]):
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model=model, messages=ASKED)
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model=model, input=QUESTION)
        assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        client.responses.create(model=product.slug, input=QUESTION, temperature=9)
    assert (bad.value.param, bad.value.type) == ("temperature", "invalid_request_error")
    with product.client(product.key(scopes=["bots:read"])) as reader, pytest.raises(openai.PermissionDeniedError):
        reader.models.list()


def test_who_asks_too_often_is_told_when_to_come_back(product: Product) -> None:
    slow = product.key(requests_per_minute=1)
    with product.client(slow) as client:
        client.models.list()
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(model=product.slug, messages=ASKED)

    assert (limited.value.code, limited.value.status_code) == ("rate_limit_exceeded", 429)
    assert int(limited.value.response.headers["retry-after"]) > 0


def test_the_example_of_the_documentation_works_as_it_stands(product: Product) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENTATION, re.DOTALL)
    environment = {"OPENAI_BASE_URL": f"{product.developer.api}/v1", "OPENAI_API_KEY": product.key()}

    done = subprocess.run(
        [sys.executable, "-c", example], env=os.environ | environment, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(SAID) >= 2
    assert "/source" in done.stdout


def test_without_any_credential_the_answer_has_both_shapes(product: Product) -> None:
    answer = httpx.post(f"{product.developer.api}/v1/chat/completions", json={}, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_credential")
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_model_that_fails_is_the_clients_error_too(vendors: Vendors, vendor_endpoints: dict[str, Any]) -> None:
    product = _product(Client.registered(vendor_endpoints["api"]))
    with product.client() as client:
        for ask in (
            partial(client.chat.completions.create, messages=ASKED),
            partial(client.responses.create, input=QUESTION),
        ):
            vendors.gemini.faults.append(SaysNothing())
            with pytest.raises(openai.InternalServerError) as failed:
                ask(model=product.slug)
            assert (failed.value.type, failed.value.code) == ("server_error", "empty_answer")
        vendors.gemini.faults.append(Cuts(events=2))
        with pytest.raises(openai.APIError) as broken:
            list(client.chat.completions.create(model=product.slug, messages=ASKED, stream=True))
        assert (broken.value.type, broken.value.code) == ("server_error", "unavailable")
