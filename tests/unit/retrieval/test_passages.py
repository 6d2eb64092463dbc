"""Passages: neighbours joined with their offsets, repetitions dropped, packed to a budget."""

from uuid import UUID, uuid4

import pytest

from chatsphere.knowledge.retrieval.models import Hit, Scores
from chatsphere.knowledge.retrieval.passages import assemble

DOCUMENT, OTHER = uuid4(), uuid4()
CANONICAL = "The first chunk.\n\nThe second chunk, on page two. The third follows after a space.\n\nThe last one."
PIECES = ["The first chunk.", "The second chunk, on page two.", "The third follows after a space.", "The last one."]


def hit(ordinal: int, *, score: float = 0.5, document: UUID = DOCUMENT, content: str | None = None) -> Hit:
    """Return a chunk of CANONICAL; each stands on the page of its number."""
    text = content if content is not None else PIECES[ordinal]
    start = CANONICAL.index(PIECES[ordinal])
    return Hit(
        chunk_id=uuid4(),
        document_id=document,
        document_name="guide.pdf",
        content=text,
        ordinal=ordinal,
        page_start=ordinal + 1,
        page_end=ordinal + 1,
        char_start=start,
        char_end=start + len(text),
        heading=f"Heading {ordinal}",
        score=score,
        scores=Scores(score, None, score),
    )


def words(text: str) -> int:
    """Count words as tokens."""
    return len(text.split())


def test_neighbours_become_one_passage_with_the_documents_own_text() -> None:
    (passage,) = assemble([hit(2, score=0.9), hit(1, score=0.4), hit(3, score=0.2)], 1000, words)

    assert passage.content == CANONICAL[passage.char_start : passage.char_end]
    assert (passage.page_start, passage.page_end, passage.heading) == (2, 4, None)
    assert [piece.heading for piece in passage.pieces] == ["Heading 1", "Heading 2", "Heading 3"]
    assert passage.score == 0.9
    assert [passage.content[piece.start : piece.end] for piece in passage.pieces] == PIECES[1:]


def test_chunks_that_are_not_adjacent_stay_apart() -> None:
    passages = assemble([hit(0, score=0.3), hit(2, score=0.8)], 1000, words)

    assert [passage.content for passage in passages] == [PIECES[2], PIECES[0]]


def test_documents_stay_apart() -> None:
    passages = assemble([hit(0), hit(1, document=OTHER)], 1000, words)

    assert len(passages) == 2


def test_a_quote_is_located_in_the_document() -> None:
    hits = [hit(0), hit(1), hit(2)]
    (passage,) = assemble(hits, 1000, words)
    quote = "on page two. The third"
    start = passage.content.index(quote)

    location = passage.locate(start, start + len(quote))

    assert CANONICAL[location.char_start : location.char_end] == quote
    assert (location.chunk_id, location.page_start, location.page_end) == (hits[1].chunk_id, 2, 3)


def test_each_quote_has_its_own_page() -> None:
    (passage,) = assemble([hit(0), hit(1), hit(2)], 1000, words)

    pages = [passage.locate(piece.start, piece.end).page_start for piece in passage.pieces]

    assert pages == [1, 2, 3]


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (0, 10_000)])
def test_a_span_outside_the_passage_is_refused(start: int, end: int) -> None:
    (passage,) = assemble([hit(0)], 1000, words)

    with pytest.raises(ValueError, match="no span"):
        passage.locate(start, end)


def test_the_budget_is_kept_in_order_of_rank() -> None:
    # Given: room for the second and the last chunk, not for the third in between.
    passages = assemble([hit(1), hit(2), hit(3)], words(PIECES[1]) + words(PIECES[3]), words)

    assert [passage.content for passage in passages] == [PIECES[1], PIECES[3]]


def test_no_budget_is_no_passage() -> None:
    assert assemble([hit(0)], 0, words) == []
    assert assemble([], 1000, words) == []


LONG = "Orders are confirmed by mail and shipped on the next working day from our warehouse in the north of the city"


def test_a_repetition_is_dropped() -> None:
    passages = assemble([hit(0, content=LONG), hit(0, content=LONG + ".", document=OTHER)], 1000, words)

    assert [passage.document_id for passage in passages] == [DOCUMENT]


def test_texts_that_differ_in_their_numbers_are_both_kept() -> None:
    texts = [f"{LONG} {year}" for year in (2023, 2024)]

    passages = assemble([hit(0, content=texts[0]), hit(0, content=texts[1], document=OTHER)], 1000, words)

    assert len(passages) == 2


@pytest.mark.parametrize(("before", "after"), [("a | b", "c | d"), ("line\nline", "next line")])
def test_offsets_hold_whatever_the_white_space_was(before: str, after: str) -> None:
    first = Hit(uuid4(), DOCUMENT, "d", before, 0, 1, 1, 100, 100 + len(before), None, 1.0, Scores(1, 1, 1))
    start = first.char_end + 1
    second = Hit(uuid4(), DOCUMENT, "d", after, 1, 1, 1, start, start + len(after), None, 1.0, Scores(1, 1, 1))

    (passage,) = assemble([first, second], 1000, words)

    assert len(passage.content) == passage.char_end - passage.char_start
    assert passage.locate(passage.pieces[1].start, passage.pieces[1].end).char_start == start
    assert passage.content[len(before)] == ("\n" if "\n" in before else " ")
