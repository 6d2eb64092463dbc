"""A model's claims, held against what it was given: only a quote that stands in the passage is a citation."""

from collections.abc import Iterator, Sequence

from chatsphere.chat.events import Citation
from chatsphere.knowledge.retrieval.models import Passage
from chatsphere.ports.answers import AnswerCitation


def checked(claim: AnswerCitation, passages: Sequence[Passage], answer_length: int) -> list[Citation]:
    """Return the citations that the claim makes: one for each chunk that it quotes, none if it points at nothing.

    The quote must stand in the passage character for character, white space included, and the span in the answer as
    far as it was written when the claim was made. What stands between two chunks is not kept, and a chunk never spans
    pages: cut where a chunk ends, each part is the document's own text, and its page and heading are its chunk's.
    """
    if not 1 <= claim.number <= len(passages) or not claim.quote.strip():
        return []
    if not 0 <= claim.answer_start < claim.answer_end <= answer_length:
        return []
    passage = passages[claim.number - 1]
    start = _place(claim, passage.content)
    if start < 0:
        return []
    end = start + len(claim.quote)
    parts = list(_parts(passage, start, end))
    # Where the answer holds the quote itself, each part of it is vouched for by its own part of the quote.
    verbatim = claim.answer_end - claim.answer_start == len(claim.quote)
    shift = claim.answer_start - start
    return [_citation(claim, passage, part, (part[0] + shift, part[1] + shift) if verbatim else None) for part in parts]


def _place(claim: AnswerCitation, content: str) -> int:
    """Return where the quote stands in the passage: where the claim says, else its first place; -1 if nowhere."""
    start = claim.quote_start
    if start is not None and start >= 0 and content.startswith(claim.quote, start):
        return start
    return content.find(claim.quote)


def _parts(passage: Passage, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what of the span is in each of the passage's chunks, without white space around it."""
    for piece in passage.pieces:
        first, last = max(start, piece.start), min(end, piece.end)
        text = passage.content[first:last] if first < last else ""
        if text.strip():
            first += len(text) - len(text.lstrip())
            yield first, first + len(text.strip())


def _citation(
    claim: AnswerCitation, passage: Passage, part: tuple[int, int], answer: tuple[int, int] | None
) -> Citation:
    place = passage.locate(*part)
    answer_start, answer_end = answer or (claim.answer_start, claim.answer_end)
    return Citation(
        number=claim.number,
        document_id=passage.document_id,
        document_name=passage.document_name,
        chunk_id=place.chunk_id,
        heading=place.heading,
        page=place.page_start,
        quote=passage.content[part[0] : part[1]],
        char_start=place.char_start,
        char_end=place.char_end,
        answer_start=answer_start,
        answer_end=answer_end,
    )
