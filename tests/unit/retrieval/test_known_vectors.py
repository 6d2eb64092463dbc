"""Vectors of questions: embedded once, for one bot, for a while."""

from array import array
from dataclasses import dataclass, field, replace
from math import inf, nan
from uuid import UUID, uuid4

import pytest

from chatsphere.errors import UnavailableError
from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.retrieval import known_vectors
from chatsphere.knowledge.retrieval.dense import DenseSide
from chatsphere.knowledge.retrieval.known_vectors import IN_PROCESS, QuestionVectors
from chatsphere.ports.cache import CacheSpace
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace
from tests.fakes import InMemoryVectorStore
from tests.fakes_chat import DIMENSIONS, BagOfWordsEmbedder


@dataclass
class Counting(BagOfWordsEmbedder):
    """An embedder that counts its calls, and whose tokens may cost nothing."""

    price: int = 1
    calls: int = 0

    def cost(self, tokens: int) -> int:
        return tokens * self.price

    def embed_query(self, text: str) -> Vector:
        self.calls += 1
        return super().embed_query(text)


@dataclass
class DictCache:
    """`Cache` in a dictionary."""

    values: dict[tuple[CacheSpace, bytes], bytes] = field(default_factory=dict)
    down: bool = False

    def get(self, space: CacheSpace, key: bytes) -> bytes | None:
        if self.down:
            raise UnavailableError
        return self.values.get((space, key))

    def count(self, organization_id: UUID, bot_id: UUID) -> int:
        return sum((space.organization_id, space.bot_id) == (organization_id, bot_id) for space, _ in self.values)

    def clear(self, organization_id: UUID, bot_id: UUID) -> int:
        bot = (organization_id, bot_id)
        theirs = [each for each in self.values if (each[0].organization_id, each[0].bot_id) == bot]
        for each in theirs:
            del self.values[each]
        return len(theirs)

    def put(self, space: CacheSpace, key: bytes, value: bytes, *, seconds: int) -> None:
        if self.down:
            raise UnavailableError
        self.values[space, key] = value


NAMESPACE = Namespace(uuid4(), uuid4())


def ask(
    embedder: Counting, known: QuestionVectors, namespace: Namespace = NAMESPACE, query: str = "a question"
) -> DenseSide:
    side = DenseSide(InMemoryVectorStore(), lambda _: embedder, remembered=known)
    side.search(BotEmbedding("bag-of-words", namespace), query, None)
    return side


def test_a_question_is_embedded_once_and_the_second_time_costs_nothing() -> None:
    embedder, known = Counting(), QuestionVectors(None, 60)
    first, second = ask(embedder, known), ask(embedder, known)
    assert embedder.calls == 1
    assert (first.tokens, first.cost_microdollars) == (2, 2)
    assert (second.tokens, second.cost_microdollars, second.model) == (0, 0, "bag-of-words")


def test_another_process_finds_it_in_the_shared_cache() -> None:
    embedder, cache = Counting(), DictCache()
    ask(embedder, QuestionVectors(cache, 60))
    assert ask(embedder, QuestionVectors(cache, 60)).tokens == 0
    assert embedder.calls == 1
    vector = QuestionVectors(cache, 60).find(NAMESPACE, embedder, "a question")
    assert vector == pytest.approx(embedder.embed_query("a question"))


def test_a_model_that_costs_nothing_asks_no_other_machine() -> None:
    cache = DictCache()
    ask(Counting(price=0), QuestionVectors(cache, 60))
    assert cache.values == {}


@pytest.mark.parametrize(
    "other",
    [
        {"namespace": Namespace(uuid4(), uuid4())},
        {"namespace": replace(NAMESPACE, organization_id=uuid4())},
        {"query": "another question"},
        {"query": "A question"},
    ],
)
def test_another_tenant_bot_or_text_is_embedded_anew(other: dict[str, object]) -> None:
    embedder, cache = Counting(), DictCache()
    known = QuestionVectors(cache, 60)
    ask(embedder, known)
    ask(embedder, known, **other)  # type: ignore[arg-type]
    assert embedder.calls == 2


def test_another_model_is_another_vector() -> None:
    known = QuestionVectors(DictCache(), 60)
    first, second = Counting(), Counting()
    second.model = "another"
    ask(first, known)
    ask(second, known)
    assert (first.calls, second.calls) == (1, 1)


def test_a_cache_that_fails_fails_no_search() -> None:
    embedder, cache = Counting(), DictCache(down=True)
    assert ask(embedder, QuestionVectors(cache, 60)).tokens == 2


@pytest.mark.parametrize(
    "value",
    [b"", b"short", bytes(4 * DIMENSIONS + 4), *(array("f", [wrong] * DIMENSIONS).tobytes() for wrong in (nan, inf))],
)
def test_what_is_no_vector_of_the_model_is_not_used(value: bytes) -> None:
    embedder, cache = Counting(), DictCache()
    ask(embedder, QuestionVectors(cache, 60))
    cache.values = dict.fromkeys(cache.values, value)
    assert ask(embedder, QuestionVectors(cache, 60)).tokens == 2


def test_after_its_time_it_is_embedded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder, known, now = Counting(), QuestionVectors(None, 60), [0.0]
    monkeypatch.setattr(known_vectors, "monotonic", lambda: now[0])
    ask(embedder, known)
    now[0] = 60.0
    assert ask(embedder, known).tokens == 2


def test_a_process_holds_so_many_and_forgets_the_oldest() -> None:
    embedder, known = Counting(), QuestionVectors(None, 60)
    for number in range(IN_PROCESS + 1):
        ask(embedder, known, query=f"question {number}")
    assert ask(embedder, known, query=f"question {IN_PROCESS}").tokens == 0
    assert ask(embedder, known, query="question 0").tokens == 2
