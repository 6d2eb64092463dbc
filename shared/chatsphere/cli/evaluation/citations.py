"""Whether a citation is true, told from nothing but the answer's text and the cited document's.

The document's text is put together from its passages (`GET …/documents/{id}/chunks`): each says which characters of the
document it is. Between passages stands white space that no passage holds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text of one document as far as its passages hold it, and which page each character is on."""

    starts: Sequence[int]
    chunks: Sequence[_Row]

    @classmethod
    def of(cls, chunks: Iterable[_Row]) -> "DocumentText":
        """Put the passages of a document in order."""
        ordered = sorted(chunks, key=lambda chunk: chunk["char_start"])
        return cls([chunk["char_start"] for chunk in ordered], ordered)

    def at(self, start: int, end: int) -> str | None:
        """Return the characters `[start:end)`; None where a passage does not hold all of them."""
        chunk = self._chunk(start)
        if chunk is None or end > chunk["char_end"]:
            return None
        return str(chunk["content"][start - chunk["char_start"] : end - chunk["char_start"]])

    def pages(self, start: int) -> tuple[int | None, int | None]:
        """Return the first and the last page that the character may be on; a passage does not span pages."""
        chunk = self._chunk(start)
        return (None, None) if chunk is None else (chunk["page_start"], chunk["page_end"])

    def holding(self, start: int) -> str | None:
        """Return the id of the passage that holds the character."""
        chunk = self._chunk(start)
        return None if chunk is None else str(chunk["id"])

    def heading(self, start: int) -> Sequence[str]:
        """Return the headings that the character stands under, the outermost first."""
        chunk = self._chunk(start)
        return () if chunk is None else chunk["heading_path"]

    def _chunk(self, position: int) -> _Row | None:
        place = bisect_right(self.starts, position) - 1
        chunk = self.chunks[place] if place >= 0 else None
        return chunk if chunk is not None and position < chunk["char_end"] else None


def faults(citation: _Row, answer: str, document: DocumentText) -> list[str]:
    """Return what is wrong with a citation, in words; nothing if it is true.

    True: its quote stands in the document at exactly its characters, in the passage and on the page that it names; its
    span of the answer is inside the answer and says something.
    """
    start, end = citation["char_start"], citation["char_end"]
    first, last = document.pages(start)
    page, quote = citation["page"], citation["quote"]
    said = answer[citation["answer_start"] : citation["answer_end"]]
    inside = 0 <= citation["answer_start"] < citation["answer_end"] <= len(answer)
    found = {
        "the quote does not stand at its place in the document": document.at(start, end) != quote,
        "the quote is empty": not quote.strip(),
        "the page is not the quote's": page != first
        if first == last or page is None
        else not first <= page <= (last or 0),
        "the passage is not the one that holds the quote": document.holding(start) != str(citation["chunk_id"]),
        "the heading is not what the quote stands under": not _stands_under(
            citation["heading"], document.heading(start)
        ),
        "the span is not inside the answer": not inside,
        "the span of the answer says nothing": inside and not any(map(str.isalnum, said)),
    }
    return [fault for fault, is_so in found.items() if is_so]


def uncited(answer: str, citations: Iterable[_Row]) -> list[str]:
    """Return the parts of an answer that is made of quotes alone which no citation's span covers."""
    covered = [False] * len(answer)
    for citation in citations:
        for position in range(citation["answer_start"], min(citation["answer_end"], len(answer))):
            covered[position] = True
    left = "".join(character if not seen else "\n" for character, seen in zip(answer, covered, strict=True))
    return [part.strip() for part in left.split("\n") if any(map(str.isalnum, part))]


def _stands_under(heading: str | None, path: Sequence[str]) -> bool:
    return all(name in path for name in heading.split(" › ")) if heading else True
