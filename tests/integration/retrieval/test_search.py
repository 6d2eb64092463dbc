"""The search use case: both sides fused, only what readers may see, and how sure it is."""

from collections.abc import Callable
from uuid import UUID

import pytest

from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.retrieval.calibration import DEFAULT_THRESHOLD
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.models import Mode, SearchResult
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorStore
from tests.integration.retrieval.library import Library, WordEmbedder

TEXTS = ("apples grow on trees", "pears grow on trees too", "bread is baked from flour")


def ask(
    library: Library, query: str, *, limit: int = 8, documents: list[UUID] | None = None, mode: Mode = "fused"
) -> SearchResult:
    """Search the bot, embedding by words."""
    return library.search(
        query,
        limit=limit,
        within=None if documents is None else DocumentFilter(document_ids=frozenset(documents)),
        mode=mode,
    )


def test_a_hit_says_what_was_found_where_and_why(library: Library) -> None:
    document = library.shelve(*TEXTS, name="fruit.txt")

    hit = ask(library, "pears too").hits[0]

    assert (hit.document_id, hit.document_name, hit.content) == (document, "fruit.txt", TEXTS[1])
    assert (hit.chunk_id, hit.ordinal) == (library.chunks[document][1], 1)
    assert (hit.char_start, hit.char_end) == (len(TEXTS[0]) + 2, len(TEXTS[0]) + 2 + len(TEXTS[1]))
    assert (hit.page_start, hit.page_end, hit.heading) == (1, 1, None)
    assert hit.scores.dense is not None
    assert hit.scores.lexical is not None
    assert hit.scores.fused == hit.score


def test_headings_are_joined_to_one_line(library: Library) -> None:
    library.add("Thirty days.", heading=("Terms", "Refunds"))

    assert ask(library, "refunds").hits[0].heading == "Terms › Refunds"


@pytest.mark.parametrize(
    ("mode", "dense", "lexical", "fused"),
    [("fused", True, True, True), ("dense", True, False, False), ("lexical", False, True, False)],
)
def test_each_mode_asks_only_its_sides(library: Library, mode: Mode, dense: bool, lexical: bool, fused: bool) -> None:
    document = library.shelve(*TEXTS)

    result = ask(library, "pears grow too", mode=mode)

    best = result.hits[0]
    assert best.chunk_id == library.chunks[document][1]
    assert (best.scores.dense is not None, best.scores.lexical is not None) == (dense, lexical)
    assert (best.scores.fused is not None, result.confidence is not None) == (fused, fused)
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)


def test_either_side_alone_finds(library: Library) -> None:
    only_words = library.add("quince jam")
    only_vector = library.shelve("the of and")

    found = {hit.document_id: hit.scores for hit in ask(library, "the quince of and").hits}

    assert found[only_words].dense is None
    assert found[only_vector].lexical is None


def test_vectors_of_a_generation_that_is_not_live_are_not_returned(library: Library) -> None:
    document = library.shelve("apples")
    with library.transaction() as connection:
        library.write_chunks(connection, document, ["apples, embedded early"], generation=2)
    library.embed(PgVectorStore(library.database), document, ["apples"], generation=2)

    hits = ask(library, "apples").hits

    assert [hit.content for hit in hits] == ["apples"]


def test_vectors_without_chunks_are_passed_over(library: Library) -> None:
    store, document = PgVectorStore(library.database), library.shelve("apples and pears")
    (vector,) = WordEmbedder().embed_documents(["apples"])
    store.upsert(
        library.namespace,
        [VectorRecord(f"{document}:7:{n}", vector, document, 7, library.ids.new()) for n in range(50)],
    )

    assert [hit.content for hit in ask(library, "apples", limit=1).hits] == ["apples and pears"]


def test_a_document_that_is_being_deleted_is_not_found(library: Library) -> None:
    document = library.shelve(*TEXTS)
    with library.transaction() as connection:
        connection.execute("UPDATE documents SET status = 'deleting' WHERE id = %s", (document,))

    assert ask(library, "pears") == SearchResult((), 0.0)


def test_a_search_can_be_restricted_to_documents(library: Library) -> None:
    first, second = library.shelve(*TEXTS), library.shelve("pears are picked in autumn")

    assert {hit.document_id for hit in ask(library, "pears", documents=[second]).hits} == {second}
    assert {hit.document_id for hit in ask(library, "pears", documents=[first, second]).hits} == {first, second}
    assert ask(library, "pears", documents=[]) == SearchResult((), 0.0)


def test_another_organization_finds_nothing_by_naming_the_bot(new_library: Callable[[], Library]) -> None:
    mine, other = new_library(), new_library()
    mine.shelve(*TEXTS)
    forged = Namespace(other.namespace.organization_id, mine.namespace.bot_id)

    assert ask(Library(mine.database, mine.ids, forged), "pears") == SearchResult((), 0.0)


def test_an_empty_bot_is_sure_of_nothing(library: Library) -> None:
    assert ask(library, "anything") == SearchResult((), 0.0)


@pytest.mark.parametrize("query", ["pears\0too", "pears \ud800 too", "", "?", "pears " * 20_000])
def test_any_text_is_a_query(library: Library, query: str) -> None:
    library.shelve(*TEXTS)

    hits = ask(library, query).hits

    assert hits[0].content == TEXTS[1] or "pears" not in query


class DownStore:
    """A vector store that does not answer."""

    def query(self, *_arguments: object, **_options: object) -> list[VectorMatch]:
        raise UnavailableError("down")

    upsert = delete_document = delete_namespace = count = query


def test_a_side_that_does_not_answer_is_not_hidden(library: Library) -> None:
    library.shelve(*TEXTS)
    down: VectorStore = DownStore()  # type: ignore[assignment]

    with pytest.raises(UnavailableError):
        library.search("pears", store=down)


HANDBOOK = (
    "Customers may return any unopened item within 30 days of delivery for a full refund. Refunds are paid to the"
    " original payment method within five business days.",
    "Standard delivery takes three to five working days and is free for orders over 50 euros. We ship to all"
    " countries of the European Union, Norway and Switzerland.",
    "All laptops carry a two-year warranty against manufacturing defects. Damage by liquids is not covered.",
)


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


@pytest.mark.parametrize("chunks", [1, 3])
@pytest.mark.parametrize(
    ("question", "answerable"),
    [
        ("How long do I have to return an item?", True),
        ("Can I get my money back?", True),
        ("refund period", True),
        ("What is the capital of Mongolia?", False),
        ("Who won the 1998 World Cup?", False),
        ("How do I bake sourdough bread?", False),
        ("Explain quantum entanglement.", False),
    ],
)
def test_a_bot_of_one_short_document_knows_what_it_knows(
    library: Library, embedder: MiniLmEmbedder, chunks: int, question: str, answerable: bool
) -> None:
    texts, store = HANDBOOK[:chunks], PgVectorStore(library.database)
    document = library.add(*texts)
    vectors: list[Vector] = embedder.embed_documents(texts)
    store.upsert(
        library.namespace,
        [
            VectorRecord(f"{document}:1:{n}", vector, document, 1, library.chunks[document][n])
            for n, vector in enumerate(vectors)
        ],
    )

    result = library.search(question, store=store, embedders=lambda _: embedder)

    assert result.confidence is not None
    assert (result.confidence >= DEFAULT_THRESHOLD) == answerable
