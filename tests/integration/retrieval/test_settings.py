"""What a bot's owner may set of retrieval, and repetitions and neighbours."""

from typing import Any

import pytest

from chatsphere.adapters import pgvector
from chatsphere.knowledge.retrieval.models import SearchResult
from chatsphere.knowledge.retrieval.passages import assemble
from chatsphere.knowledge.retrieval.settings import RetrievalSettings
from tests.integration.retrieval.library import Library

PASSAGE = "the notice period of this contract is three months to the end of a calendar year for both parties"


def ask(library: Library, query: str, limit: int = 8, **settings: Any) -> SearchResult:
    """Search the bot with these settings."""
    return library.search(query, limit=limit, settings=RetrievalSettings(**settings), explain=True)


def test_without_words_the_vectors_alone_decide(library: Library) -> None:
    only_words = library.add("quince quince")
    library.shelve("plums and pears")

    vectors_alone = ask(library, "quince jam", lexical_weight=0)
    both = ask(library, "quince jam")

    assert only_words not in {hit.document_id for hit in vectors_alone.hits}
    assert both.hits[0].document_id == only_words
    assert all(hit.score == hit.scores.dense for hit in vectors_alone.hits)
    assert vectors_alone.confidence is not None


def test_a_larger_weight_of_words_changes_who_is_first(library: Library) -> None:
    worded = library.add("jam of quince")
    near = library.shelve("jam of plums")

    assert ask(library, "jam quince", lexical_weight=0.1).hits[0].document_id == near
    assert ask(library, "jam quince", lexical_weight=10).hits[0].document_id == worded


def test_each_side_contributes_as_many_as_is_set(library: Library) -> None:
    library.shelve(*(f"pears {number}" for number in range(30)))

    explanation = ask(library, "pears", candidates=10).explanation

    assert explanation is not None
    assert (explanation.dense_found, explanation.lexical_found) == (10, 10)


def test_a_passage_of_several_documents_is_one_hit_that_names_them(library: Library) -> None:
    documents = [library.shelve(PASSAGE, name=f"{number}.txt") for number in range(3)]
    other = library.shelve("notice periods are something else here")

    result = ask(library, "notice period of the contract", limit=2)

    assert [hit.document_id for hit in result.hits][1:] == [other]
    hit = result.hits[0]
    assert {hit.document_id, *(place.document_id for place in hit.also_in)} == set(documents)
    assert {place.document_name for place in hit.also_in} < {"0.txt", "1.txt", "2.txt"}
    assert result.explanation is not None
    assert set(result.explanation.folded) == {place.chunk_id for place in hit.also_in}
    assert len(ask(library, "notice period of the contract", deduplicate=False).hits) == 4


def test_any_number_of_repetitions_leaves_room_for_what_is_different(library: Library) -> None:
    library.shelve(*([PASSAGE] * 40))
    library.shelve("a contract ends when both parties agree")

    assert len(ask(library, "notice period of the contract", limit=2).hits) == 2


def test_rows_that_differ_in_numbers_are_no_repetitions(library: Library) -> None:
    library.shelve(f"{PASSAGE} of 2023", f"{PASSAGE} of 2024")

    assert len(ask(library, "notice period 2024").hits) == 2


def test_a_bot_that_outgrows_comparing_every_vector_answers_on(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.shelve(*(f"pears of kind {number}" for number in range(30)))
    compared = ask(library, "pears of kind 7")

    monkeypatch.setattr(pgvector, "EXACT_CEILING", 10)
    indexed = ask(library, "pears of kind 7")

    assert [hit.chunk_id for hit in indexed.hits[:3]] == [hit.chunk_id for hit in compared.hits[:3]]
    assert indexed.confidence == compared.confidence


@pytest.mark.parametrize(("reach", "beside"), [(0, []), (1, ["b", "d"]), (2, ["a", "b", "d", "e"])])
def test_neighbours_of_a_hit_are_given_with_it(library: Library, reach: int, beside: list[str]) -> None:
    library.shelve("a", "b", "pears", "d", "e", heading=("Fruit",))

    result = ask(library, "pears", limit=1, neighbours=reach)

    assert [hit.content for hit in result.hits] == ["pears"]
    assert [hit.content for hit in result.neighbours] == beside
    (passage,) = assemble(result.hits, 1000, len, neighbours=result.neighbours)
    assert passage.content == "\n\n".join([*beside[: len(beside) // 2], "pears", *beside[len(beside) // 2 :]])
    assert passage.char_end - passage.char_start == len(passage.content)


def test_neighbours_of_another_section_or_generation_are_not(library: Library) -> None:
    document = library.shelve("vegetables", "pears", "bread", heading=("Fruit",))
    with library.transaction() as connection:
        connection.execute(
            "UPDATE chunks SET heading_path = '{Other}' WHERE document_id = %s AND ordinal <> 1", (document,)
        )
        library.write_chunks(connection, document, ["new", "newer", "newest"], generation=2, heading=("Fruit",))

    assert ask(library, "pears", limit=1, neighbours=1).neighbours == ()
