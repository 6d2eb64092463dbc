"""Snippets of found messages: the part that shows best why it was found, and where the found words stand in it."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

SNIPPET_CHARS: Final = 240
LEAD_CHARS: Final = 40
"""How much of the text before the first found word is shown."""

SEARCHED_CHARS: Final = 20_000
"""Words are looked for in this much of a message."""

MARKED_RUNS: Final = 16
"""Of a query in a script without spaces, as many runs are marked, the longest first."""

_WORD: Final = re.compile(r"[^\W_]+")
# Scripts written without spaces: the index knows pairs of characters there, and no words.
_UNSPACED: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, `start` in it; `highlights` are places in the snippet, end exclusive, in characters."""

    text: str
    start: int
    highlights: Sequence[Span]


def candidates(texts: Collection[str], query: str) -> set[str]:
    """Return the distinct words of the texts that may match one of the query: stemming keeps how a word begins."""
    beginnings = {_beginning(word) for word in _WORD.findall(query)}
    words = {word for text in texts for word in _WORD.findall(text[:SEARCHED_CHARS])}
    return {word for word in words if _beginning(word) in beginnings}


def snippet_of(text: str, query: str, matching: Collection[str]) -> Snippet:
    """Return the part of the text with the most of the matching words; without any, its beginning."""
    found = _places(text[:SEARCHED_CHARS], query, matching)
    if not found:
        end = _end(text, 0)
        return Snippet(text[:end], 0, ())
    first = _fullest(found)
    start = _start(text, first)
    end = _end(text, start)
    shown = [(begin - start, stop - start) for begin, stop in found if begin >= start and stop <= end]
    return Snippet(text[start:end], start, shown)


def _places(text: str, query: str, matching: Collection[str]) -> list[Span]:
    found = [match.span() for match in _WORD.finditer(text) if match[0] in matching]
    for run in sorted(set(_UNSPACED.findall(query)), key=len, reverse=True)[:MARKED_RUNS]:
        found += [match.span() for match in re.finditer(re.escape(run), text)]
    return sorted(set(found))


def _fullest(found: Sequence[Span]) -> int:
    """Return where the part with the most of the places begins, the first of several."""
    begins, ends = [begin for begin, _ in found], sorted(stop for _, stop in found)
    shown = SNIPPET_CHARS - LEAD_CHARS
    # Those that end within the part, without those that begin before it.
    return max(begins, key=lambda start: (bisect_right(ends, start + shown) - bisect_left(begins, start), -start))


def _start(text: str, first: int) -> int:
    start = max(0, first - LEAD_CHARS)
    if start == 0:
        return 0
    space = text.find(" ", start, first)
    return start if space < 0 else space + 1


def _end(text: str, start: int) -> int:
    end = start + SNIPPET_CHARS
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", start + SNIPPET_CHARS // 2, end)
    return end if space < 0 else space


def _beginning(word: str) -> str:
    return unicodedata.normalize("NFKD", word)[:1].casefold()
