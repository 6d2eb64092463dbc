"""The shared strings of a workbook, packed: millions of Python strings would take a gigabyte."""

import re
from array import array
from typing import IO

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.xml_events import EventReader

MAX_TEXT_CHARS = 1_000_000
"""Excel's own limit of a cell is 32,767."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


class SharedStrings:
    """The strings that cells refer to by their position: UTF-8 in one buffer, and where each ends."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("I", (0,))

    def __getitem__(self, position: int) -> str:
        if not 0 <= position < len(self._ends) - 1:
            raise CorruptDocumentError
        return self._text[self._ends[position] : self._ends[position + 1]].decode()

    def read(self, stream: IO[bytes]) -> None:
        """Read the part of the shared strings."""
        for _ in EventReader(stream, _StringHandler(self)).read():
            pass

    def add(self, text: str) -> None:
        """Append a string."""
        self._text += text.encode("utf-8", "replace")
        self._ends.append(len(self._text))


class TextCollector:
    """The text of a string item: of its runs, without the reading aids (phonetic runs) above them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0
        self._aids = 0
        self._open = False

    def start(self, name: str) -> None:
        """An element inside the item begins."""
        if name == "rPh":
            self._aids += 1
        self._open = name == "t" and not self._aids

    def end(self, name: str) -> None:
        """An element inside the item ends."""
        self._open = False
        if name == "rPh":
            self._aids -= 1

    def data(self, text: str) -> None:
        """Text, wanted or not."""
        if self._open:
            self._parts.append(text)
            self._chars += len(text)
            if self._chars > MAX_TEXT_CHARS:
                raise CorruptDocumentError

    def take(self) -> str:
        """The item's text on one line; the next item begins."""
        text = one_line("".join(self._parts))
        self._parts, self._chars = [], 0
        return text


class _StringHandler(TextCollector):
    """Adds a part's string items."""

    def __init__(self, strings: SharedStrings) -> None:
        super().__init__()
        self._strings = strings

    def start(self, name: str, _attributes: object = None) -> None:
        super().start(name)

    def end(self, name: str) -> None:
        super().end(name)
        if name == "si":
            self._strings.add(self.take())


def one_line(text: str) -> str:
    """A cell's text on one line, with what Office writes as `_x000D_` resolved."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return " ".join(text.split())
