"""The streams of a Word 97-2003 file, and its table of contents (FIB; MS-DOC 2.5)."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

import olefile  # type: ignore[import-untyped]

from chatsphere.errors import (
    CorruptDocumentError,
    DocumentTooLargeError,
    EncryptedDocumentError,
    UnsupportedFormatError,
)
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.source import MemoryFile, Source

STYLES: Final = 1
FOOTNOTE_REFERENCES: Final = 2
FOOTNOTE_TEXTS: Final = 3
CHARACTER_RUNS: Final = 12
PARAGRAPH_RUNS: Final = 13
FONTS: Final = 15
PIECES: Final = 33
ANCHORS: Final = 40
ENDNOTE_REFERENCES: Final = 46
ENDNOTE_TEXTS: Final = 47
BOXES: Final = 56
LISTS: Final = 73
LIST_USES: Final = 74
"""Positions in FibRgFcLcb97, the list of what the table stream holds."""

_WORD_97 = 0x00C1
_ENCRYPTED, _TABLE_1, _OBFUSCATED = 0x0100, 0x0200, 0x8000
_COUNTS_AT, _DIRECTORY_AT = 64, 154
_MAIN, _FOOTNOTES, _HEADERS, _MACROS, _COMMENTS, _ENDNOTES, _BOXES = range(3, 10)


class WordFile:
    """An opened file: the main stream, and the parts of the table stream by their position in the FIB."""

    def __init__(self, ole: "olefile.OleFileIO", limits: ExtractionLimits) -> None:
        self._ole = ole
        self._limits = limits
        self.main = self._stream("WordDocument")
        _, version, flags = struct.unpack_from("<HHxxxxxxH", self.main)
        if flags & (_ENCRYPTED | _OBFUSCATED):
            raise EncryptedDocumentError
        if version < _WORD_97:
            raise UnsupportedFormatError("The file is of Word 95 or older; this format is not supported.")
        self._table = self._stream("1Table" if flags & _TABLE_1 else "0Table")

    @cached_property
    def data(self) -> bytes:
        """The stream of what does not fit elsewhere; empty where there is none."""
        return self._stream("Data") if self._ole.exists("Data") else b""

    def part(self, position: int) -> bytes:
        """A part of the table stream; empty where the file has none."""
        start, size = self._place(position)
        return self._table[start : start + size]

    def after(self, position: int) -> bytes:
        """What follows a part, whose own size does not count it (the levels of lists)."""
        start, size = self._place(position)
        return self._table[start + size :] if size else b""

    @property
    def main_length(self) -> int:
        """The number of characters of the main text, which come first."""
        return self._count(_MAIN)

    @property
    def footnotes_at(self) -> int:
        """Where the footnotes' text begins."""
        return self._count(_MAIN)

    @property
    def endnotes_at(self) -> int:
        """Where the endnotes' text begins."""
        return sum(map(self._count, range(_MAIN, _ENDNOTES)))

    @property
    def boxes_at(self) -> int:
        """Where the text boxes' text begins."""
        return sum(map(self._count, range(_MAIN, _BOXES)))

    def _count(self, position: int) -> int:
        (count,) = struct.unpack_from("<i", self.main, _COUNTS_AT + 4 * position)
        if not 0 <= count <= len(self.main):
            raise CorruptDocumentError
        return int(count)

    def _place(self, position: int) -> tuple[int, int]:
        start, size = struct.unpack_from("<II", self.main, _DIRECTORY_AT + 8 * position)
        if start + size > len(self._table):
            raise CorruptDocumentError
        return start, size

    def _stream(self, name: str) -> bytes:
        if self._ole.get_size(name) > self._limits.max_unpacked_bytes:
            raise DocumentTooLargeError
        with self._ole.openstream(name) as stream:
            data: bytes = stream.read()
        return data


@contextmanager
def open_word_file(source: Source, limits: ExtractionLimits) -> Iterator[tuple[WordFile, str | None]]:
    """Open a file: its streams, and the title in its properties.

    Raises:
        CorruptDocumentError: also for what goes wrong while it is read.
    """
    try:
        with olefile.OleFileIO(source.open("rb") if isinstance(source, MemoryFile) else str(source)) as ole:
            yield WordFile(ole, limits), _title(ole)
    except (OSError, struct.error, LookupError, TypeError, ValueError, OverflowError):
        raise CorruptDocumentError from None


def _title(ole: "olefile.OleFileIO") -> str | None:
    try:
        properties = ole.get_metadata()
        codec = {None: "cp1252", 65001: "utf-8", 1200: "utf-16-le"}.get(properties.codepage)
        return (properties.title or b"").decode(codec or f"cp{properties.codepage}", "replace")
    except Exception:  # a document is read without its properties
        return None


def plc(part: bytes, size: int) -> tuple[list[int], list[bytes]]:
    """Split a PLC: its positions, and what stands between each and the next, `size` bytes each (MS-DOC 2.2.2)."""
    count = max(0, (len(part) - 4) // (size + 4))
    positions = list(struct.unpack_from(f"<{count + 1}I", part)) if count else []
    start = 4 * (count + 1)
    return positions, [part[start + size * each : start + size * (each + 1)] for each in range(count)]
