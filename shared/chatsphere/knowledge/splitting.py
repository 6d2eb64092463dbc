"""Where a text may be cut that is too long for one passage: sentences, lines, words, characters."""

import re
from collections.abc import Callable, Iterator

from chatsphere.knowledge.text import BlockKind

CountTokens = Callable[[str], int]
Span = tuple[int, int]
"""Start and end in the text, without white space at either."""

# Latin marks end a sentence before white space only (3.5, example.org); CJK marks always do.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[\"」』）”]*|\n\s*\n")
_LINE_END = re.compile(r"\n")
_SPACES_ONLY = re.compile(r"\s*")
_COUNTED_CHARS = 12
"""A text with more characters per token of room is cut without being counted first."""
_GUESS = 0.9
_FIRST_GUESS_CHARS = 3.0

_BY_ROWS = (_LINE_END, _SENTENCE_END)
_BY_SENTENCES = (_SENTENCE_END, _LINE_END)
_BOUNDARIES = {
    BlockKind.TABLE: _BY_ROWS,
    BlockKind.CODE: _BY_ROWS,
    BlockKind.LIST: _BY_ROWS,
    BlockKind.PARAGRAPH: _BY_SENTENCES,
    BlockKind.HEADING: _BY_SENTENCES,
}


def split_text(text: str, kind: BlockKind, room: int, count_tokens: CountTokens) -> Iterator[tuple[Span, int]]:
    """Yield spans of at most `room` tokens with their number of tokens, in order, covering all but white space.

    A text that fits is one span. A single character that has more tokens than `room` is a span all the same.
    """
    whole = _trim(text, 0, len(text))
    if whole:
        yield from _refine(text, whole, _BOUNDARIES[kind], room, count_tokens)


def _refine(
    text: str, span: Span, boundaries: tuple[re.Pattern[str], ...], room: int, count_tokens: CountTokens
) -> Iterator[tuple[Span, int]]:
    start, end = span
    if end - start <= room * _COUNTED_CHARS:
        tokens = count_tokens(text[start:end])
        if tokens <= room:
            yield span, tokens
            return
    for position, boundary in enumerate(boundaries):
        parts = list(_parts(text, span, boundary))
        if len(parts) > 1:
            for part in parts:
                yield from _refine(text, part, boundaries[position + 1 :], room, count_tokens)
            return
    yield from _by_words(text, span, room, count_tokens)


def _parts(text: str, span: Span, boundary: re.Pattern[str]) -> Iterator[Span]:
    start, end = span
    for match in boundary.finditer(text, start, end):
        if part := _trim(text, start, match.end()):
            yield part
        start = match.end()
    if part := _trim(text, start, end):
        yield part


def _by_words(text: str, span: Span, room: int, count_tokens: CountTokens) -> Iterator[tuple[Span, int]]:
    """Cut as far on as fits, before a word where there is one, else between characters.

    Guesses each cut from the characters per token of the one before, so that little is counted twice.
    """
    start, end = span
    chars_per_token = _FIRST_GUESS_CHARS
    while start < end:
        length = min(max(1, int(room * chars_per_token * _GUESS)), end - start)
        while True:
            part = _trim(text, start, _word_cut(text, start, start + length, end)) or (start, start + length)
            tokens = count_tokens(text[part[0] : part[1]])
            if tokens <= room or part[1] - part[0] <= 1:
                break
            length = max(1, min(part[1] - part[0] - 1, int((part[1] - part[0]) * _GUESS * room / tokens)))
        yield part, tokens
        chars_per_token = (part[1] - part[0]) / max(tokens, 1)
        spaces = _SPACES_ONLY.match(text, part[1], end)
        start = spaces.end() if spaces else part[1]


def _word_cut(text: str, start: int, cut: int, end: int) -> int:
    if cut >= end or text[cut].isspace():
        return cut
    for position in range(cut - 1, (start + cut) // 2, -1):
        if text[position].isspace():
            return position
    return cut


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
