"""A search while its bot is switched to another embedding sees the former or the new one, whole."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.errors import EmbeddingModelUnavailableError
from chatsphere.knowledge.retrieval.models import SearchResult
from chatsphere.knowledge.retrieval.settings import RetrievalSettings
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.vectors import VectorMatch, VectorRecord
from tests.fakes import FakeEmbedder
from tests.integration.retrieval.library import Library, WordEmbedder

TEXTS = ["Apples are red.", "Pears are green.", "Plums are blue."]
OTHER = FakeEmbedder(768, model="other")


def embedders(model: str | None) -> Embedder:
    """Two models; the deployment's is called by no name or its own."""
    found: dict[str | None, Any] = {None: WordEmbedder(), "words": WordEmbedder(), "other": OTHER}
    if model not in found:
        raise EmbeddingModelUnavailableError
    embedder: Embedder = found[model]
    return embedder


@dataclass
class Switching:
    """The store, and what happens just before or just after it is searched for the first time."""

    library: Library
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    searched: int = 0

    def query(self, *arguments: Any, **named: Any) -> list[VectorMatch]:
        self.searched += 1
        if self.before and self.searched == 1:
            self.before()
        found = PgVectorStore(self.library.database).query(*arguments, **named)
        if self.after and self.searched == 1:
            self.after()
        return found


@pytest.fixture
def shelved(library: Library) -> Library:
    """A bot whose passages are embedded twice; readers search the first revision."""
    document = library.add(*TEXTS)
    library.embed(PgVectorStore(library.database), document, TEXTS)
    vectors: list[Vector] = OTHER.embed_documents(TEXTS)
    PgVectorStore(library.database).upsert(
        replace(library.namespace, revision=1),
        [
            VectorRecord(f"{document}:1:{n}", vector, document, 1, chunk)
            for n, (chunk, vector) in enumerate(zip(library.chunks[document], vectors, strict=True))
        ],
    )
    return library


def switch(library: Library) -> None:
    """Do what the end of a run does: readers are switched over, and the former vectors are gone."""
    with library.transaction() as connection:
        connection.execute(
            "UPDATE bots SET embedding_model = 'other', embedding_dimensions = 768, embedding_revision = 1"
            " WHERE id = %s",
            (library.namespace.bot_id,),
        )
    PgVectorStore(library.database).delete_namespace(library.namespace)


def ask(library: Library, store: Any, query: str = "Pears are green.") -> SearchResult:
    return library.search(query, store=store, embedders=embedders)


def assert_found_by(result: SearchResult, model: Embedder) -> None:
    """Every passage has its cosine, all by one model."""
    question = model.embed_query("Pears are green.")
    expected = {text: sum(a * b for a, b in zip(question, model.embed_query(text), strict=True)) for text in TEXTS}
    found = {hit.content: hit.scores.dense for hit in result.hits}
    assert found == {text: pytest.approx(score, abs=5e-3) for text, score in expected.items()}


def test_the_model_and_the_revision_are_the_bots(shelved: Library) -> None:
    assert_found_by(ask(shelved, PgVectorStore(shelved.database)), WordEmbedder())
    switch(shelved)
    assert_found_by(ask(shelved, PgVectorStore(shelved.database)), OTHER)


def test_a_switch_between_the_embedding_of_the_question_and_its_search(shelved: Library) -> None:
    store = Switching(shelved, before=lambda: switch(shelved))

    result = ask(shelved, store)

    assert_found_by(result, OTHER)
    assert not result.by_words_alone
    assert store.searched == 2


def test_a_switch_after_the_search(shelved: Library) -> None:
    store = Switching(shelved, after=lambda: switch(shelved))

    # It searches once more: what it found may have been a part only.
    assert_found_by(ask(shelved, store), OTHER)


def test_a_bot_whose_model_is_not_available_is_searched_by_words(shelved: Library) -> None:
    with shelved.transaction() as connection:
        connection.execute("UPDATE bots SET embedding_model = 'gone' WHERE id = %s", (shelved.namespace.bot_id,))

    result = ask(shelved, PgVectorStore(shelved.database), "green pears")

    assert result.by_words_alone
    assert result.hits[0].content == "Pears are green."
    assert [hit.scores.dense for hit in result.hits] == [None] * len(result.hits)
    assert result.confidence is not None
    assert result.confidence > 0.5


def test_repetitions_are_found_and_no_reason_to_search_wider(library: Library) -> None:
    document = library.add(*["Pears are green."] * 12)
    library.embed(PgVectorStore(library.database), document, ["Pears are green."] * 12)
    store: Any = Switching(library)

    result = library.search("green pears", store=store, settings=RetrievalSettings(candidates=10))

    assert (len(result.hits), store.searched) == (1, 1)
