"""Turns hits into the passages that an answer model is given: neighbours joined, repetitions dropped, packed."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chatsphere.knowledge.retrieval.models import Hit, Passage, Piece

SHINGLE: Final = 4
"""Words of the overlapping runs by which two chunks are compared."""

SAME: Final = 0.9
"""Share of common runs (Jaccard) from which on two chunks repeat each other."""


def assemble(hits: Sequence[Hit], token_budget: int, count_tokens: Callable[[str], int]) -> list[Passage]:
    """Return passages of at most `token_budget` tokens together, the one with the best hit first.

    Hits are taken in their order; one that repeats a better one, or does not fit any more, is left out.
    Chosen chunks that follow each other in a document become one passage.
    """
    chosen: list[Hit] = []
    seen: list[_Fingerprint] = []
    left = token_budget
    for hit in hits:
        fingerprint = _Fingerprint(hit.content)
        if any(fingerprint.repeats(other) for other in seen):
            continue
        tokens = count_tokens(hit.content)
        if tokens <= left:
            chosen.append(hit)
            seen.append(fingerprint)
            left -= tokens
    passages = [_join(run) for run in _runs(chosen)]
    return sorted(passages, key=lambda passage: -passage.score)


def _runs(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Group hits that follow each other in their document, in the document's order."""
    runs: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: (hit.document_id, hit.ordinal)):
        if runs and _follows(runs[-1][-1], hit):
            runs[-1].append(hit)
        else:
            runs.append([hit])
    return runs


def _follows(before: Hit, after: Hit) -> bool:
    return (
        after.document_id == before.document_id
        and after.ordinal == before.ordinal + 1
        and after.char_start >= before.char_end
    )


def _join(run: Sequence[Hit]) -> Passage:
    content, pieces = "", []
    for number, hit in enumerate(run):
        if number:
            content += _gap(run[number - 1], hit)
        start = len(content)
        content += hit.content
        pieces.append(Piece(hit.chunk_id, start, len(content), hit.page_start, hit.page_end))
    first, last = run[0], run[-1]
    return Passage(
        document_id=first.document_id,
        document_name=first.document_name,
        heading=first.heading,
        content=content,
        char_start=first.char_start,
        char_end=last.char_end,
        page_start=first.page_start,
        page_end=last.page_end,
        score=max(hit.score for hit in run),
        pieces=tuple(pieces),
    )


def _gap(before: Hit, after: Hit) -> str:
    """Return the white space between two chunks: of the canonical text's length, so that offsets hold."""
    length = after.char_start - before.char_end
    # Inside a block, chunks part at a line of a table or at a sentence.
    in_lines = "\n" in before.content or "\n" in after.content
    return " " if length == 1 and not in_lines else "\n" * length


class _Fingerprint:
    """What of a chunk's text is compared with others': runs of words, and its numbers."""

    def __init__(self, text: str) -> None:
        words = re.findall(r"\w+", text.casefold())
        self._runs = {tuple(words[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
        # Two years' rows of one form differ in numbers only, and both are needed.
        self._numbers = {word for word in words if any(character.isdigit() for character in word)}

    def repeats(self, other: "_Fingerprint") -> bool:
        """Tell whether the texts are nearly the same."""
        common = len(self._runs & other._runs)
        return self._numbers == other._numbers and common >= SAME * len(self._runs | other._runs)
