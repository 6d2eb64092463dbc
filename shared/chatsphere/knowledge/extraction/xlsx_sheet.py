"""The rows of one worksheet, streamed: what its cells show, without what is hidden."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.table_rows import Row
from chatsphere.knowledge.extraction.xlsx_formats import Show, general
from chatsphere.knowledge.extraction.xlsx_merges import Merges, column_number
from chatsphere.knowledge.extraction.xlsx_strings import MAX_TEXT_CHARS, SharedStrings, TextCollector, one_line
from chatsphere.knowledge.extraction.xml_events import NO_GAP, EventReader, Gap

_MAX_ROWS = 1_048_576
_MAX_COLUMNS = 16_384
NOWHERE = -1
_TRUE = ("1", "true")


@dataclass(slots=True)
class SheetReader:
    """Reads one sheet, from its beginning or from a row on, which begins at `begins` and has this `number`.

    `head` is the length of what stands before the sheet's first row; a row that begins at `NOWHERE` cannot be read
    on from.
    """

    stream: IO[bytes]
    strings: SharedStrings
    styles: Sequence[Show]
    merges: Merges
    head: int = 0

    def rows(self, begins: int = 0, number: int = 1) -> Iterator[Row]:
        """Yield the rows that show something."""
        handler = _SheetHandler(self, number - 1)
        events = EventReader(self.stream, handler, Gap(self.head, begins) if begins else NO_GAP)
        handler.place = lambda: events.place
        for _ in events.read():
            yield from handler.rows
            handler.rows.clear()


class _SheetHandler:
    """Collects rows from the elements of a worksheet."""

    def __init__(self, reader: SheetReader, number: int) -> None:
        self.rows: list[Row] = []
        self.place: Callable[[], int] = int
        self._reader = reader
        self._strings = reader.strings
        self._styles = reader.styles
        self._merges = reader.merges
        self._begins = 0
        self._cells: dict[int, str] = {}
        self._number = number
        self._column = -1
        self._hidden_row = False
        self._hidden_columns: list[range] = []
        self._filtered = False
        self._cell: dict[str, str] = {}
        self._value = ""
        self._in_value = False
        self._inline: TextCollector | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "c":
            self._cell = attributes
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            if not 0 <= self._column < _MAX_COLUMNS:
                raise CorruptDocumentError
        elif name == "v":
            self._in_value = True
        elif name == "row":
            self._start_row(attributes)
        elif name == "is":
            self._inline = TextCollector()
        elif self._inline:
            self._inline.start(name)
        elif name == "col":
            self._start_columns(attributes)
        elif name == "sheetPr":
            self._filtered = attributes.get("filterMode") in _TRUE

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "v":
            self._in_value = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if not self._hidden_row:
                begins = NOWHERE if self._merges.reach(self._number) else self._begins
                cells = self._merges.fill(self._number, self._cells)
                if cells:
                    self.rows.append(Row(self._number, cells, begins))
            self._cells = {}
        elif self._inline and name != "is":
            self._inline.end(name)

    def data(self, text: str) -> None:
        """Text, wanted or not."""
        if self._in_value:
            self._value += text
            if len(self._value) > MAX_TEXT_CHARS:
                raise CorruptDocumentError
        elif self._inline:
            self._inline.data(text)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._begins = self.place()
        self._reader.head = self._reader.head or self._begins
        number = attributes.get("r", "")
        self._number = int(number) if number.isdecimal() and len(number) < 8 else self._number + 1
        if not 0 < self._number <= _MAX_ROWS:
            raise CorruptDocumentError
        self._column = -1
        self._hidden_row = attributes.get("hidden") in _TRUE and not (self._filtered or _is_folded(attributes))

    def _start_columns(self, attributes: dict[str, str]) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        hidden = attributes.get("hidden") in _TRUE and not _is_folded(attributes)
        if hidden and first.isdecimal() and last.isdecimal() and len(self._hidden_columns) < _MAX_COLUMNS:
            self._hidden_columns.append(range(int(first) - 1, int(last)))

    def _end_cell(self) -> None:
        inline, value = self._inline, self._value
        self._inline, self._value = None, ""
        if self._hidden_columns and any(self._column in hidden for hidden in self._hidden_columns):
            return
        text = inline.take() if inline else self._shown(value)
        if text:
            self._cells[self._column] = text

    def _shown(self, value: str) -> str:
        kind = self._cell.get("t", "n")
        if not value:
            return ""
        if kind == "n":
            style = self._cell.get("s", "")
            place = int(style) if style.isdecimal() and len(style) < 7 else 0
            return self._styles[place](value) if place < len(self._styles) else general(value)
        if kind == "s":
            if not value.isdecimal() or len(value) > 9:
                raise CorruptDocumentError
            return self._strings[int(value)]
        if kind == "b":
            return "TRUE" if value in _TRUE else "FALSE"
        return one_line(value)


@lru_cache(maxsize=4 * _MAX_COLUMNS)
def _letters_column(letters: str) -> int:
    return column_number(letters) if 0 < len(letters) < 4 and letters.isascii() and letters.isupper() else -1


def _column(reference: str) -> int:
    return _letters_column(reference.rstrip("0123456789"))


def _is_folded(attributes: dict[str, str]) -> bool:
    """Whether a row or column is out of sight only because its group is folded."""
    return attributes.get("outlineLevel", "0") != "0"
