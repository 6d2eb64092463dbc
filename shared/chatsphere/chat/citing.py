"""A model's claims, held against what it was given: only a quote that stands in the passage is a citation."""

from collections.abc import Sequence

from chatsphere.chat.events import Citation
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports import AnswerCitation


def checked(claim: AnswerCitation, passages: Sequence[Passage], answer_length: int) -> Citation | None:
    """Return the citation that the claim makes, or None if it points at nothing.

    The quote must stand in the passage character for character, white space included, and the span in the
    answer as far as it was written when the claim was made. A chunk never spans pages, so the page is that of the
    chunk in which the quote begins.
    """
    if not 1 <= claim.number <= len(passages) or not claim.quote.strip():
        return None
    if not 0 <= claim.answer_start < claim.answer_end <= answer_length:
        return None
    passage = passages[claim.number - 1]
    start = passage.content.find(claim.quote)
    if start < 0:
        return None
    place = passage.locate(start, start + len(claim.quote))
    return Citation(
        number=claim.number,
        document_id=passage.document_id,
        document_name=passage.document_name,
        chunk_id=place.chunk_id,
        heading=passage.heading,
        page=place.page_start,
        quote=claim.quote,
        char_start=place.char_start,
        char_end=place.char_end,
        answer_start=claim.answer_start,
        answer_end=claim.answer_end,
    )
