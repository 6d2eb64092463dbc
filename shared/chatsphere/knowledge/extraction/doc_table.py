"""A table of a Word 97-2003 file: cells and rows are told by what ends their paragraphs (MS-DOC 2.4.3)."""

import struct
from collections.abc import Iterator

from chatsphere.knowledge.extraction import doc_properties as sprm
from chatsphere.knowledge.extraction.doc_properties import Properties
from chatsphere.knowledge.extraction.doc_text import CELL_END, Paragraph
from chatsphere.knowledge.text import Block, BlockKind

_TABLE_ROWS = 100
_CELL_BYTES = 20
_MERGED = 1
"""A cell that goes on from the one above; the first of them has 3."""


class Table:
    """Collects the paragraphs of a table; false while it has none."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._cells: list[str] = []
        self._parts: list[str] = []
        self._above: list[str] = []
        self._begun = False

    def __bool__(self) -> bool:
        return self._begun

    def add(self, paragraph: Paragraph) -> None:
        """Add the next paragraph; those of a table within a cell become that cell's text."""
        self._begun = True
        if sprm.number(paragraph.properties, sprm.ROW_END):
            self._end_row(paragraph.properties)
        elif not sprm.number(paragraph.properties, sprm.INNER_ROW_END):
            self._parts.append(" ".join(paragraph.text.split()))
            if paragraph.mark == CELL_END:
                self._cells.append(" ".join(filter(None, self._parts)))
                self._parts = []

    def blocks(self, path: tuple[str, ...]) -> Iterator[Block]:
        """The rows, `a | b | c`."""
        if self._cells or self._parts:
            self._end_row({})
        lines = [" | ".join(row) for row in self._rows if any(row)]
        for start in range(0, len(lines), _TABLE_ROWS):
            yield Block("\n".join(lines[start : start + _TABLE_ROWS]), BlockKind.TABLE, heading_path=path)

    def _end_row(self, properties: Properties) -> None:
        """End a row; a cell merged with the one above repeats its text, so that each row reads alone."""
        cells = [*self._cells, *filter(None, [" ".join(filter(None, self._parts))])]
        for column, merged in enumerate(_merged(properties.get(sprm.TABLE_DEFINITION, b""))):
            if merged and column < min(len(cells), len(self._above)) and not cells[column]:
                cells[column] = self._above[column]
        self._rows.append(cells)
        self._above, self._cells, self._parts = cells, [], []


def _merged(definition: bytes) -> Iterator[bool]:
    """Whether each cell of a row goes on from the one above (MS-DOC 2.9.315)."""
    count = definition[0] if definition else 0
    start = 1 + 2 * (count + 1)
    for column in range(count):
        cell = definition[start + _CELL_BYTES * column :][:2]
        yield len(cell) == 2 and struct.unpack("<H", cell)[0] >> 5 & 3 == _MERGED
