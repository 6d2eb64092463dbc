"""Gemini's embeddings: what is asked for, and what is not taken for an answer."""

from math import hypot
from typing import Any

import pytest

from chatsphere.adapters.gemini.embedder import GeminiEmbedder
from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate
from chatsphere.errors import ConfigurationError, ProviderOverloadedError, ProviderRejectedError, UnavailableError
from chatsphere.settings import EmbeddingSettings
from tests.loopback.gemini_faults import Garbles, Hangs, Refuses
from tests.loopback.gemini_server import GeminiServer
from tests.unit.providers.scripted_server import ScriptedServer, answers


def embedder(url: str, **changed: Any) -> GeminiEmbedder:
    settings = {"embedder": "gemini", "gemini_url": url, "gemini_api_key": "test-key", "provider_backoff_seconds": 0}
    return GeminiEmbedder(EmbeddingSettings.model_validate(settings | changed))


def texts_of(server: GeminiServer) -> list[list[str]]:
    return [[one["content"]["parts"][0]["text"] for one in call.body["requests"]] for call in server.received]


def test_the_task_stands_before_the_text(gemini: GeminiServer) -> None:
    model = embedder(gemini.url)
    model.embed_documents(["One.", ""])
    model.embed_query("Two?")
    assert texts_of(gemini) == [
        ["title: none | text: One.", "title: none | text: "],
        ["task: search result | query: Two?"],
    ]
    assert not any("taskType" in one for call in gemini.received for one in call.body["requests"])


def test_the_first_family_is_told_its_task_by_a_parameter(gemini: GeminiServer) -> None:
    model = embedder(gemini.url, gemini_embedding_model="models/gemini-embedding-001")
    model.embed_documents(["One.", " "])
    model.embed_query("Two?")
    assert texts_of(gemini) == [["One.", "-"], ["Two?"]]
    assert [call.body["requests"][0]["taskType"] for call in gemini.received] == [
        "RETRIEVAL_DOCUMENT",
        "RETRIEVAL_QUERY",
    ]


def test_batches_hold_a_hundred_at_most(gemini: GeminiServer) -> None:
    vectors = embedder(gemini.url).embed_documents([f"Number {number}." for number in range(201)])
    assert len(vectors) == 201
    assert [len(texts) for texts in texts_of(gemini)] == [100, 100, 1]


def test_vectors_of_another_length_have_another_name(gemini: GeminiServer) -> None:
    model = embedder(gemini.url)
    assert (model.model, model.dimensions) == ("gemini-embedding-2:768", 768)
    assert hypot(*model.embed_query("A question")) == pytest.approx(1)


@pytest.mark.parametrize(("name", "limit"), [("gemini-embedding-2", 8192), ("gemini-embedding-001", 2048)])
def test_text_past_the_models_limit_is_not_sent(gemini: GeminiServer, name: str, limit: int) -> None:
    embedder(gemini.url, gemini_embedding_model=name).embed_documents(["word " * 20_000])
    sent = GeminiTokenEstimate().count_tokens(texts_of(gemini)[0][0])
    assert limit - 100 < sent <= limit


UNIT = [1.0] + [0.0] * 767


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"embeddings": []},
        {"embeddings": [{"values": UNIT}] * 2},
        {"embeddings": [{"values": UNIT[:-1]}]},
        {"embeddings": [{"values": [*UNIT, 0.0]}]},
        {"embeddings": [{"values": [0.0] * 768}]},
        {"embeddings": [{"values": ["1"] * 768}]},
        {"embeddings": [{"values": [float("nan")] * 768}]},
        {"embeddings": [{"values": [True] * 768}]},
        {"embeddings": [None]},
        {"embeddings": {"values": UNIT}},
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_none(server: ScriptedServer, body: Any) -> None:
    server.script = [answers(200, body)]
    with pytest.raises(UnavailableError):
        embedder(server.url).embed_documents(["One."])


def test_every_third_call_may_be_refused(gemini: GeminiServer) -> None:
    gemini.every_nth = 3
    assert len(embedder(gemini.url).embed_documents(["One."] * 901)) == 901


@pytest.mark.parametrize("in_header", [True, False])
def test_rest_longer_than_the_time_is_refused_at_once(gemini: GeminiServer, in_header: bool) -> None:
    gemini.faults = [Refuses(429, 60, in_header)]
    with pytest.raises(ProviderOverloadedError):
        embedder(gemini.url).embed_query("One?")
    assert len(gemini.received) == 1


@pytest.mark.parametrize(("fault", "limit"), [(Garbles(), 5.0), (Hangs(), 0.1)])
def test_no_answer_is_unavailable(gemini: GeminiServer, fault: Garbles | Hangs, limit: float) -> None:
    gemini.faults = [fault]
    with pytest.raises(UnavailableError):
        embedder(gemini.url, provider_read_seconds=limit, provider_attempts=1).embed_query("One?")


@pytest.mark.parametrize(
    "changed",
    [{"gemini_api_key": "wrong"}, {"gemini_embedding_model": "no-such-model", "gemini_embedding_microdollars": 1}],
)
def test_a_wrong_key_or_model_is_rejected(gemini: GeminiServer, changed: dict[str, Any]) -> None:
    with pytest.raises(ProviderRejectedError):
        embedder(gemini.url, **changed).embed_query("One?")


def test_without_a_key_there_is_no_embedder() -> None:
    with pytest.raises(ConfigurationError):
        GeminiEmbedder(EmbeddingSettings())


def test_an_embedding_costs_what_the_price_table_says(gemini: GeminiServer) -> None:
    assert embedder(gemini.url).cost(1_000_001) == 200_001
    assert embedder(gemini.url, gemini_embedding_microdollars=1_000_000).cost(7) == 7
    assert embedder(gemini.url, gemini_embedding_model="gemini-embedding-001").cost(1_000_000) == 150_000


def test_a_model_of_unknown_price_asks_for_it(gemini: GeminiServer) -> None:
    with pytest.raises(ConfigurationError, match="GEMINI_EMBEDDING_MICRODOLLARS"):
        embedder(gemini.url, gemini_embedding_model="another")
