from uuid import uuid4

import pytest

from chatsphere.chat.citing import checked
from chatsphere.knowledge.retrieval.models import Passage, Piece
from chatsphere.ports import AnswerCitation
from tests.fakes_chat import passage

DOCUMENT = "Intro.\n\nThe  Falcon\nplan costs 49 EUR.\n\nNo refunds: that is “final”. 漢字 🦅 end."


def claim(quote: str, *, number: int = 1, start: int = 0, end: int = 5) -> AnswerCitation:
    return AnswerCitation(number, quote, start, end)


def of(start: int, **kwargs: object) -> Passage:
    return passage(DOCUMENT[start:], start=start, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("quote", ["The  Falcon\nplan costs 49 EUR.", "“final”. 漢字 🦅", "end."])
@pytest.mark.parametrize("start", [0, 8])
def test_offsets_find_the_quote_again_in_the_document(quote: str, start: int) -> None:
    citation = checked(claim(quote), [of(start)], 5)
    assert citation is not None
    assert DOCUMENT[citation.char_start : citation.char_end] == quote == citation.quote


@pytest.mark.parametrize(
    "wrong",
    [
        claim("The Falcon plan costs 49 EUR."),  # other white space
        claim("the  Falcon\nplan"),  # other case
        claim("The Eagle plan"),  # invented
        claim(""),
        claim("  "),
        claim("end.", number=0),
        claim("end.", number=2),
        claim("end.", start=3, end=3),
        claim("end.", start=4, end=3),
        claim("end.", start=-1),
        claim("end.", end=6),  # beyond what was written
    ],
)
def test_a_claim_that_points_at_nothing_is_no_citation(wrong: AnswerCitation) -> None:
    assert checked(wrong, [of(0)], 5) is None


def test_a_citation_names_the_document_of_the_passage_with_its_number() -> None:
    first, second = passage("one", name="a.txt"), passage("two", name="b.txt", heading="B › C")
    citation = checked(claim("two", number=2), [first, second], 5)
    assert citation is not None
    assert (citation.document_id, citation.document_name, citation.heading) == (second.document_id, "b.txt", "B › C")


def merged(*, pages: tuple[tuple[int, int], tuple[int, int]] = ((1, 1), (2, 2))) -> Passage:
    """Two neighbouring chunks, joined as they stand in the document."""
    cut = DOCUMENT.index("No refunds")
    pieces = (Piece(uuid4(), 0, cut - 2, *pages[0]), Piece(uuid4(), cut, len(DOCUMENT), *pages[1]))
    return Passage(uuid4(), "a.pdf", None, DOCUMENT, 0, len(DOCUMENT), pages[0][0], pages[1][1], 1.0, pieces)


def test_in_merged_chunks_the_chunk_and_the_page_are_those_where_the_quote_begins() -> None:
    given = merged()
    first, second = checked(claim("Falcon"), [given], 5), checked(claim("final"), [given], 5)
    across = checked(claim("49 EUR.\n\nNo refunds"), [given], 5)
    assert first is not None
    assert second is not None
    assert across is not None
    assert (first.chunk_id, first.page) == (given.pieces[0].chunk_id, 1)
    assert (second.chunk_id, second.page) == (given.pieces[1].chunk_id, 2)
    assert (across.chunk_id, across.page) == (given.pieces[0].chunk_id, 1)


def test_a_document_without_pages_has_none_to_cite() -> None:
    citation = checked(claim("Falcon"), [of(0)], 5)
    assert citation is not None
    assert citation.page is None
