"""What every parser returns, and what they share: cleaning, the outline, the largest block."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, overload

from chatsphere.knowledge.text import Block

MAX_BLOCK_CHARS = 32_000
"""A block crosses the pipe as one line, so its size bounds the memory of both sides."""

MAX_HEADING_CHARS = 300
MAX_OUTLINE_DEPTH = 9

# PostgreSQL stores neither NUL nor lone surrogates; the other controls carry no text.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")


Place = Mapping[str, Any]
"""Where a parser can begin to read, with what it has to know there: JSON of a few kilobytes."""


def nowhere() -> None:
    """Say that a parser can begin at the beginning only: it is quick enough to read anew what is known."""
    return


@dataclass(frozen=True, slots=True)
class Scan:
    """A page that shows its text as a picture, in its place among the blocks. `render` returns it as a PNG."""

    page: int
    render: Callable[[], bytes]
    heading_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed document: what is known at once, and the blocks as they are read.

    `place` returns the latest place, at or before the block that came last, where the parser's module can `resume`:
    (source, limits, place) → Parsed, whose blocks are those that come after the place.
    """

    blocks: Iterator[Block | Scan]
    page_count: int | None = None
    title: str | None = None
    place: Callable[[], Place | None] = nowhere


class Outline:
    """The headings that the current position stands under."""

    def __init__(self, headings: Iterable[tuple[float, str]] = ()) -> None:
        """Begin under headings that another outline had."""
        self._open = [(level, title) for level, title in headings]

    @property
    def headings(self) -> list[tuple[float, str]]:
        """The open headings with their levels, the outermost first."""
        return list(self._open)

    @property
    def path(self) -> tuple[str, ...]:
        """The open headings, the outermost first."""
        return tuple(title for _, title in self._open)

    def enter(self, level: float, title: str) -> tuple[str, ...]:
        """Open a heading: it closes those of its own level and of deeper (greater) ones."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        del self._open[MAX_OUTLINE_DEPTH - 1 :]
        self._open.append((level, " ".join(title.split())[:MAX_HEADING_CHARS]))
        return self.path


def clean(text: str) -> str:
    """Remove what cannot be stored, and unify line ends."""
    if "\r" in text or "\x0c" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _UNSTORABLE.sub("", text) if _UNSTORABLE.search(text) else text


@overload
def finish(blocks: Iterable[Block]) -> Iterator[Block]: ...


@overload
def finish(blocks: Iterable[Block | Scan]) -> Iterator[Block | Scan]: ...


def finish(blocks: Iterable[Block | Scan]) -> Iterator[Block | Scan]:
    """Clean the blocks, drop empty ones and cut oversized ones."""
    for block in blocks:
        if isinstance(block, Scan):
            yield block
            continue
        text = clean(block.text).strip("\n")
        if not text.strip():
            continue
        path = tuple(clean(heading) for heading in block.heading_path)
        for part in _parts(text):
            yield replace(block, text=part, heading_path=path)


def _parts(text: str) -> Iterator[str]:
    while len(text) > MAX_BLOCK_CHARS:
        cut = max(text.rfind(mark, MAX_BLOCK_CHARS // 2, MAX_BLOCK_CHARS) for mark in ("\n", ". ", "。"))
        if cut < 0:
            cut = text.rfind(" ", MAX_BLOCK_CHARS // 2, MAX_BLOCK_CHARS)
        cut = cut + 1 if cut >= 0 else MAX_BLOCK_CHARS
        part, text = text[:cut].strip("\n"), text[cut:].strip("\n")
        if part.strip():
            yield part
    if text.strip():
        yield text
