"""Builds pieces of text from the block elements of a page: headings, paragraphs, lists, tables, code."""

import re
from dataclasses import dataclass, field

from chatsphere.knowledge.text import BlockKind


def words(text: str) -> frozenset[str]:
    """A set of names written as one string, which a screen of quoted ones would be otherwise."""
    return frozenset(text.split())


INLINE = words(
    "html body a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark q rb ruby "
    "s samp small span strike strong sub sup time tt u var"
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dl"))
_ITEMS = frozenset(("li", "dt", "dd"))
_CELLS = frozenset(("td", "th"))
_BREAK = "\x1f"
_SPACES = re.compile(r"[ \t\n\r\f\xa0\u200b]+")
_AROUND_BREAK = re.compile(rf" *{_BREAK}[ {_BREAK}]*")


@dataclass(frozen=True, slots=True)
class Zone:
    """Where in the page a piece stands. `suspect`: in what only its names call a menu, an advert or the like."""

    main: bool = False
    article: bool = False
    boilerplate: bool = False
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text between block elements.

    `level` is a heading's, 0 otherwise. Pieces with the same `group` are the rows of a table or the items of a
    list; 0 is no group. `linked` is how many of its characters are links.
    """

    text: str
    kind: BlockKind
    zone: Zone
    level: int = 0
    group: int = 0
    linked: int = 0


@dataclass(slots=True)
class _Table:
    """An open table; one whose cells hold headings, code or tables serves the layout and is no table."""

    group: int
    layout: bool = False
    cells: list[str] = field(default_factory=list)


class TextBuilder:
    """Takes block elements and text in the order of the page."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._zone = Zone()
        self._text: list[str] = []
        self._heading = 0
        self._pre = 0
        self._tables: list[_Table] = []
        self._lists: list[int | None] = []
        self._prefix = ""
        self._groups = 0
        self._links = 0
        self._linked = 0

    def add(self, text: str) -> None:
        """Add text to the current piece."""
        self._text.append(text)
        if self._links:
            self._linked += len(text.strip())

    def link(self, step: int) -> None:
        """Enter (1) or leave (-1) a link."""
        self._links = max(0, self._links + step)

    def line_break(self) -> None:
        """Break the line within the current piece."""
        self._text.append("\n" if self._pre else _BREAK)

    def enter(self, zone: Zone) -> None:
        """Go on in another zone."""
        self.flush()
        self._zone = zone

    def begin(self, tag: str) -> None:
        """Begin a block element."""
        if self._in_cells:
            if tag not in _HEADINGS and tag not in ("pre", "table"):
                self._begin_in_cells(tag)
                return
            self._make_layout(self._tables[-1])
        self.flush()
        if tag == "table":
            self._groups += 1
            self._tables.append(_Table(self._groups))
        elif tag == "pre":
            self._pre += 1
        elif tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag in _LISTS:
            self._groups += not self._lists
            self._lists.append(0 if tag == "ol" else None)
        elif tag in _ITEMS:
            self._prefix = self._next_prefix(tag)

    def finish(self, tag: str) -> None:
        """End a block element."""
        if self._in_cells and tag != "table":
            self._finish_in_cells(tag)
            return
        if tag == "table" and self._tables:
            self._finish_row(self._tables[-1])
            self.flush()
            self._tables.pop()
            return
        self.flush()
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag in _HEADINGS:
            self._heading = 0
        elif tag in _LISTS and self._lists:
            self._lists.pop()
            self._prefix = ""

    def flush(self) -> None:
        """End the current piece."""
        raw, self._text = "".join(self._text), []
        if self._in_cells and raw.strip():
            self._text.append(raw)  # it belongs to the cell
            return
        text = raw.strip("\n").rstrip() if self._pre else _collapse(raw)
        if text.strip():
            self._emit(text)

    @property
    def _in_cells(self) -> bool:
        return bool(self._tables) and not self._tables[-1].layout

    def _emit(self, text: str) -> None:
        if self._heading:
            self._append(text.replace("\n", " "), BlockKind.HEADING, level=self._heading)
        elif self._pre:
            self._append(text, BlockKind.CODE)
        elif self._lists:
            self._append(self._prefix + text, BlockKind.LIST, group=self._groups)
            self._prefix = " " * len(self._prefix)
        else:
            self._append(text, BlockKind.PARAGRAPH)

    def _append(self, text: str, kind: BlockKind, *, level: int = 0, group: int = 0) -> None:
        linked, self._linked = min(self._linked, len(text)), 0
        self.pieces.append(Piece(text, kind, self._zone, level, group, linked))

    def _next_prefix(self, tag: str) -> str:
        indent = "  " * max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if tag != "li":
            return indent + ("  " if tag == "dd" else "")
        if number is None:
            return indent + "- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _begin_in_cells(self, tag: str) -> None:
        table = self._tables[-1]
        if tag == "tr":
            self._finish_row(table)
        elif tag in _CELLS:
            if text := _collapse("".join(self._text)):
                table.cells.append(text)
            self._text = []
        else:
            self._separate(", " if tag == "li" else " ")

    def _finish_in_cells(self, tag: str) -> None:
        table = self._tables[-1]
        if tag in _CELLS:
            table.cells.append(_collapse("".join(self._text)).replace("\n", ", "))
            self._text = []
        elif tag in ("tr", "caption"):
            self._finish_row(table)
        elif tag not in _ITEMS:
            self._separate(" ")

    def _separate(self, mark: str) -> None:
        if any(part.strip() for part in self._text):
            self._text.append(mark)

    def _finish_row(self, table: _Table) -> None:
        """End a row: its cells, and text that stands in the table outside of cells."""
        stray, self._text = _collapse("".join(self._text)), []
        cells = [*table.cells, stray] if stray else table.cells
        if table.layout or not any(cells):
            self._text = [stray]
        else:
            line = " | ".join(cells).strip(" |")
            self._append(line, BlockKind.TABLE, group=table.group)
        table.cells = []

    def _make_layout(self, table: _Table) -> None:
        text = self._text
        for cell in table.cells:
            if cell:
                self._append(cell, BlockKind.PARAGRAPH)
        table.cells, table.layout, self._text = [], True, text


def _collapse(text: str) -> str:
    spaced = _SPACES.sub(" ", text)
    return _AROUND_BREAK.sub("\n", spaced.replace(f"{_BREAK} ", _BREAK)).strip()
