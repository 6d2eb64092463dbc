"""What every embedder keeps: the contract of `ports.embedding.Embedder`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import sqrt

import pytest

from chatsphere.adapters.gemini.embedder import GeminiEmbedder
from chatsphere.adapters.gemini.tokens import GeminiTokenEstimate
from chatsphere.adapters.local_model import LocalEmbedder
from chatsphere.adapters.minilm import MiniLmEmbedder, MiniLmTokenizer
from chatsphere.adapters.model_folder import read_model_folder
from chatsphere.ports.embedding import Embedder, TokenCounter, Vector
from chatsphere.settings import EmbeddingSettings
from tests.builders.model_folder import write_model_folder
from tests.loopback.gemini_model import padded
from tests.loopback.gemini_server import GeminiServer

EMBEDDERS = ["minilm", "local", "gemini", "gemini_001"]
TOKEN_COUNTERS = ["minilm", "minilm_tokenizer", "local", "gemini_tokens"]


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return MiniLmEmbedder()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    folder = write_model_folder(tmp_path_factory.mktemp("models") / "a model")
    return LocalEmbedder(read_model_folder(str(folder)))


@pytest.fixture(scope="module")
def minilm_tokenizer() -> TokenCounter:
    return MiniLmTokenizer()


@pytest.fixture(scope="module")
def gemini_server(minilm: Embedder) -> Iterator[GeminiServer]:
    with GeminiServer(embed=padded(minilm)) as server:
        yield server


@pytest.fixture(scope="module")
def gemini(gemini_server: GeminiServer) -> Embedder:
    return GeminiEmbedder(
        EmbeddingSettings(embedder="gemini", gemini_url=gemini_server.url, gemini_api_key=gemini_server.key)
    )


@pytest.fixture(scope="module")
def gemini_001(gemini_server: GeminiServer) -> Embedder:
    return GeminiEmbedder(
        EmbeddingSettings(
            embedder="gemini",
            gemini_url=gemini_server.url,
            gemini_api_key=gemini_server.key,
            gemini_embedding_model="gemini-embedding-001",
        )
    )


@pytest.fixture(scope="module")
def gemini_tokens() -> TokenCounter:
    return GeminiTokenEstimate()


@pytest.fixture(params=EMBEDDERS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    chosen: Embedder = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=TOKEN_COUNTERS)
def counter(request: pytest.FixtureRequest) -> TokenCounter:
    chosen: TokenCounter = request.getfixturevalue(request.param)
    return chosen


def cosine(one: Vector, other: Vector) -> float:
    """Return the cosine of two unit vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_have_the_declared_length_and_norm_one(embedder: Embedder) -> None:
    vectors = [*embedder.embed_documents(["A short text.", "", "?!", "日本語"]), embedder.embed_query("Why?")]

    assert {len(vector) for vector in vectors} == {embedder.dimensions}
    assert [sqrt(cosine(vector, vector)) for vector in vectors] == pytest.approx([1.0] * 5, abs=1e-3)


def test_documents_keep_their_order(embedder: Embedder) -> None:
    texts = ["The cat sleeps.", "Interest rates rose.", "Water boils at a hundred degrees."]

    together = embedder.embed_documents(texts)

    for text, vector in zip(texts, together, strict=True):
        (alone,) = embedder.embed_documents([text])
        assert cosine(vector, alone) == pytest.approx(1, abs=1e-3)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_documents([]) == []


def test_a_question_is_nearest_to_what_answers_it(embedder: Embedder) -> None:
    passages = ["Customers may return items within 30 days for a refund.", "The office is closed on public holidays."]
    refund, holiday = embedder.embed_documents(passages)

    question = embedder.embed_query("Can I get my money back?")

    assert cosine(question, refund) > cosine(question, holiday) + 0.1


def test_text_past_the_limit_is_ignored(embedder: Embedder) -> None:
    long = "one two three four " * 5000

    first, second = embedder.embed_documents([long, long + "something else entirely"])

    assert cosine(first, second) == pytest.approx(1, abs=1e-6)


def test_threads_may_share_it(embedder: Embedder) -> None:
    texts = [f"Number {number} of several sentences." for number in range(12)]
    expected = embedder.embed_documents(texts)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(embedder.embed_query, texts))

    assert [cosine(a, b) for a, b in zip(expected, found, strict=True)] == pytest.approx([1.0] * 12, abs=1e-3)


def test_the_model_has_a_name(embedder: Embedder) -> None:
    assert embedder.model


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("hello", 1), ("Hello, world!", 4)])
def test_tokens_are_counted_without_special_ones(counter: TokenCounter, text: str, tokens: int) -> None:
    assert counter.count_tokens(text) == tokens


def test_counting_does_not_stop_at_the_models_limit(counter: TokenCounter) -> None:
    assert counter.count_tokens("hello " * 1000) == 1000
