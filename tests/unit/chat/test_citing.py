from uuid import uuid4

import pytest

from chatsphere.chat.citing import checked
from chatsphere.chat.events import Citation
from chatsphere.knowledge.retrieval.models import Passage, Piece
from chatsphere.ports.answers import AnswerCitation
from tests.fakes_chat import passage

DOCUMENT = "Intro.\n\nThe  Falcon\nplan costs 49 EUR.\n\nNo refunds: that is “final”. 漢字 🦅 end."


def claim(quote: str, *, number: int = 1, start: int = 0, end: int = 5) -> AnswerCitation:
    return AnswerCitation(number, quote, start, end)


def one(citations: list[Citation]) -> Citation:
    (citation,) = citations
    return citation


def of(start: int, **kwargs: object) -> Passage:
    return passage(DOCUMENT[start:], start=start, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize("quote", ["The  Falcon\nplan costs 49 EUR.", "“final”. 漢字 🦅", "end."])
@pytest.mark.parametrize("start", [0, 8])
def test_offsets_find_the_quote_again_in_the_document(quote: str, start: int) -> None:
    citation = one(checked(claim(quote), [of(start)], 5))
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
    assert checked(wrong, [of(0)], 5) == []


def test_a_citation_names_the_document_of_the_passage_with_its_number() -> None:
    first, second = passage("one", name="a.txt"), passage("two", name="b.txt", heading="B › C")
    citation = one(checked(claim("two", number=2), [first, second], 5))
    assert (citation.document_id, citation.document_name, citation.heading) == (second.document_id, "b.txt", "B › C")


def merged(*, pages: tuple[tuple[int, int], tuple[int, int]] = ((1, 1), (2, 2))) -> Passage:
    """Two neighbouring chunks, joined as they stand in the document."""
    cut = DOCUMENT.index("No refunds")
    pieces = (Piece(uuid4(), 0, cut - 2, *pages[0]), Piece(uuid4(), cut, len(DOCUMENT), *pages[1]))
    return Passage(uuid4(), "a.pdf", None, DOCUMENT, 0, len(DOCUMENT), pages[0][0], pages[1][1], 1.0, pieces)


def test_in_merged_chunks_the_chunk_and_the_page_are_the_quotes() -> None:
    given = merged()
    first, second = one(checked(claim("Falcon"), [given], 5)), one(checked(claim("final"), [given], 5))
    assert (first.chunk_id, first.page) == (given.pieces[0].chunk_id, 1)
    assert (second.chunk_id, second.page) == (given.pieces[1].chunk_id, 2)


def test_a_quote_that_crosses_chunks_becomes_a_citation_of_each_with_its_own_page() -> None:
    given, quote = merged(), "49 EUR.\n\nNo refunds"
    found = checked(claim(quote, start=2, end=2 + len(quote)), [given], 100)
    assert [(citation.quote, citation.page) for citation in found] == [("49 EUR.", 1), ("No refunds", 2)]
    assert [DOCUMENT[citation.char_start : citation.char_end] for citation in found] == ["49 EUR.", "No refunds"]
    assert [f"__{quote}"[citation.answer_start : citation.answer_end] for citation in found] == [
        "49 EUR.",
        "No refunds",
    ]


def test_a_statement_in_other_words_rests_on_each_chunk_as_a_whole() -> None:
    found = checked(claim("49 EUR.\n\nNo refunds", start=1, end=4), [merged()], 5)
    assert [(citation.answer_start, citation.answer_end) for citation in found] == [(1, 4), (1, 4)]


def test_a_sentence_that_stands_twice_is_cited_where_the_claim_says() -> None:
    given = passage("It is free. Else. It is free.")
    for start in (0, 18):
        assert one(checked(AnswerCitation(1, "It is free.", 0, 5, start), [given], 5)).char_start == start
    # A place where it does not stand counts for nothing.
    assert one(checked(AnswerCitation(1, "It is free.", 0, 5, 3), [given], 5)).char_start == 0


def test_the_heading_is_that_of_the_chunk_that_is_quoted() -> None:
    pieces = (Piece(uuid4(), 0, 5, 1, 1, "A › B"), Piece(uuid4(), 7, 12, 1, 1, "A › C"))
    given = Passage(uuid4(), "a.pdf", "A", "first\n\nnext.", 0, 12, 1, 1, 1.0, pieces)
    assert [one(checked(claim(quote), [given], 5)).heading for quote in ("first", "next.")] == ["A › B", "A › C"]


def test_a_document_without_pages_has_none_to_cite() -> None:
    assert one(checked(claim("Falcon"), [of(0)], 5)).page is None
