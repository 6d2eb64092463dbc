"""JSON and JSON Lines: `path: value` lines, the records of an array kept together.

Of a large file the outer containers are read member by member, so an array of a million records is never held
as objects. Numbers keep the digits that the file has.
"""

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.json_blocks import (
    blocks_of,
    heading,
    lines_block,
    record_blocks,
    scalar,
)
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.text import Block

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)
_SPACE = re.compile(r"[ \t\n\r\ufeff\x1e]*")
_LARGE_CHARS = 4_000_000
_STREAMED_DEPTH = 3


def parse(path: Source, _limits: ExtractionLimits) -> Parsed:
    """Read one JSON value, or one after the other (JSON Lines, concatenated JSON)."""
    with open_text(path) as stream:
        text = stream.read()
    return Parsed(_documents(text))


def _documents(text: str) -> Iterator[Block]:
    reader = _Reader(text)
    try:
        if _is_lines(text):
            while not reader.at_end():
                yield from reader.record()
        while not reader.at_end():
            yield from reader.value((), _STREAMED_DEPTH if len(text) > _LARGE_CHARS else 0)
    except (ValueError, StopIteration):
        raise CorruptDocumentError from None


def _is_lines(text: str) -> bool:
    """Whether the first line is a whole value, and another one follows."""
    start = _SPACE.match(text)
    end = text.find("\n", start.end() if start else 0)
    if end < 0 or not text[end:].strip():
        return False
    try:
        _DECODER.decode(text[start.end() if start else 0 : end])
    except ValueError:
        return False
    return True


class _Reader:
    """Reads the values of a text from its position on; raises `ValueError` where it is not JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        return not self._peek()

    def value(self, path: tuple[str, ...], depth: int) -> Iterator[Block]:
        """Read a value: its containers member by member down to `depth`, what is deeper at once."""
        opening = self._peek()
        if depth and opening == "[":
            yield from self._array(path)
        elif depth and opening == "{":
            yield from self._object(path, depth)
        else:
            yield from blocks_of(self._whole(), path)

    def record(self) -> Iterator[Block]:
        """Read a value that is one of many."""
        yield from record_blocks(self._whole(), ())

    def _array(self, path: tuple[str, ...]) -> Iterator[Block]:
        plain: list[str] = []
        for _ in self._members("[", "]"):
            element = self._whole()
            if isinstance(element, dict | list):
                yield from record_blocks(element, path)
            else:
                plain.append(scalar(element))
        yield from lines_block(plain, path)

    def _object(self, path: tuple[str, ...], depth: int) -> Iterator[Block]:
        plain: list[str] = []
        for _ in self._members("{", "}"):
            self._take('"')
            key, self._at = scanstring(self._text, self._at, False)
            self._take(":")
            if self._peek() in ("{", "["):
                inner = heading(key, path)
                yield inner
                yield from self.value(inner.heading_path, depth - 1)
            else:
                plain.append(f"{key}: {scalar(self._whole())}")
        yield from lines_block(plain, path)

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        """Stand before each member of a container in turn."""
        self._take(opening)
        if self._peek() != closing:
            yield
            while self._peek() == ",":
                self._take(",")
                yield
        self._take(closing)

    def _whole(self) -> object:
        self._peek()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def _peek(self) -> str:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise ValueError(mark)
        self._at += 1
