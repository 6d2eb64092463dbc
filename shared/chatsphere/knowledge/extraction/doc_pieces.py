"""The piece table of a Word 97-2003 file: where its characters are, in their order (MS-DOC 2.4.1, 2.8.35)."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.doc_file import PIECES, WordFile, plc

_PROPERTIES, _TABLE = 1, 2
_COMPRESSED = 0x4000_0000
_SPAN_CHARS = 64 * 1024


class Span(NamedTuple):
    """Characters that stand side by side: the first one's position, its place in the main stream, bytes for each,
    and the modifiers that their piece adds to their properties.
    """

    position: int
    place: int
    width: int
    length: int
    group: bytes


class Pieces:
    """The pieces that a document's text is put together from."""

    def __init__(self, word: WordFile) -> None:
        self._main = word.main
        groups, table = _read(word.part(PIECES))
        self._starts, pieces = plc(table, 8)
        if self._starts != sorted(self._starts):
            raise CorruptDocumentError
        self._pieces = [_piece(piece, groups) for piece in pieces]

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the spans of the characters from `start` to before `end`."""
        found = max(0, bisect_right(self._starts, start) - 1)
        for piece_at in range(found, len(self._pieces)):
            first, last = max(start, self._starts[piece_at]), min(end, self._starts[piece_at + 1])
            place, width, group = self._pieces[piece_at]
            for position in range(first, last, _SPAN_CHARS):
                at = place + width * (position - self._starts[piece_at])
                length = min(_SPAN_CHARS, last - position)
                if at + width * length > len(self._main):
                    raise CorruptDocumentError
                yield Span(position, at, width, length, group)
            if self._starts[piece_at + 1] >= end:
                return

    def text(self, span: Span) -> str:
        """The characters of a span. One byte each is code page 1252, whatever the document's language; of two bytes
        each, a character of Unicode's higher planes stays in its two halves, for positions count them.
        """
        data = self._main[span.place : span.place + span.width * span.length]
        if span.width == 1:
            return data.decode("cp1252", "replace")
        text = data.decode("utf-16-le", "replace")
        return text if len(text) == span.length else "".join(map(chr, memoryview(data).cast("H")))


def _read(part: bytes) -> tuple[list[bytes], bytes]:
    """The lists of modifiers that pieces refer to, and the table of pieces."""
    groups: list[bytes] = []
    place = 0
    while place < len(part):
        if part[place] == _TABLE:
            (size,) = struct.unpack_from("<I", part, place + 1)
            return groups, part[place + 5 : place + 5 + size]
        if part[place] != _PROPERTIES:
            break
        (size,) = struct.unpack_from("<H", part, place + 1)
        groups.append(part[place + 3 : place + 3 + size])
        place += 3 + size
    raise CorruptDocumentError


def _piece(data: bytes, groups: list[bytes]) -> tuple[int, int, bytes]:
    place, change = struct.unpack("<xxIH", data)
    complex_change = change >> 1 if change & 1 else len(groups)
    group = groups[complex_change] if complex_change < len(groups) else b""
    if place & _COMPRESSED:
        return (place & ~_COMPRESSED) // 2, 1, group
    return place, 2, group
