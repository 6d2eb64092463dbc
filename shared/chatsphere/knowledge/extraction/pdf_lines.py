"""Lines of a PDF page as PDFium gives them, with where and how large they stand.

Per line some ten calls of PDFium's C interface, about a tenth of what finding the text itself costs.
"""

import ctypes
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]
from pypdfium2 import PdfTextPage

_LINE = re.compile("[^\r\n\x02\ufffe]+")
_HYPHENS = ("\x02", "\ufffe")
"""PDFium writes one of these in place of a hyphen at a line's end and the line end itself."""
_SPACE = re.compile(" +")
_CELL_GAP = 1.5
"""In font sizes: wider than the spaces of justified text."""
_NARROW = 0.35
"""The width of a narrow letter, in font sizes."""
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|CMBX|-Medi$", re.IGNORECASE)
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\xa0": " ", "\t": " ", "\xad": ""}
)


class Cell(NamedTuple):
    """What stands between two wide gaps of a line."""

    x0: float
    x1: float
    text: str


@dataclass(slots=True)
class Line:
    """A line of text. Coordinates are in points along the text's own direction, `y` grows upwards.

    `turn` counts quarter turns of the text on the page; `hyphen` says that a word goes on in the next line;
    `running` marks the one occurrence of a running head or foot that is kept. A line with wide gaps has more than
    one cell; `text` is then all of them.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    turn: int
    hyphen: bool
    cells: tuple[Cell, ...]
    running: bool = False


class _Probe:
    """Asks PDFium about single characters; keeps the buffers for its answers."""

    def __init__(self, page: PdfTextPage) -> None:
        self._page = page
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._box, self._matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
        self._name, self._flags = ctypes.create_string_buffer(128), ctypes.c_int()

    def char(self, text_index: int) -> int:
        """The index of a character by its place in the text; negative if it has none."""
        return int(pdfium.FPDFText_GetCharIndexFromTextIndex(self._page, text_index))

    def origin(self, char: int) -> tuple[float, float]:
        if not pdfium.FPDFText_GetCharOrigin(self._page, char, self._x, self._y):
            return 0.0, 0.0
        return self._x.value, self._y.value

    def right(self, char: int) -> float:
        pdfium.FPDFText_GetLooseCharBox(self._page, char, self._box)
        return float(self._box.right)

    def size_and_turn(self, char: int) -> tuple[float, int]:
        size = float(pdfium.FPDFText_GetFontSize(self._page, char))
        matrix = self._matrix
        if not pdfium.FPDFText_GetMatrix(self._page, char, matrix):
            return size, 0
        turn = round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4
        return size * math.hypot(matrix.c, matrix.d), turn

    def is_bold(self, char: int) -> bool:
        if pdfium.FPDFText_GetFontWeight(self._page, char) >= _BOLD_WEIGHT:
            return True
        pdfium.FPDFText_GetFontInfo(self._page, char, self._name, len(self._name), self._flags)
        return bool(_BOLD_NAME.search(self._name.value))


def read_lines(page: PdfTextPage) -> list[Line]:
    """Return the page's lines in PDFium's reading order."""
    return _join_rows(_lines(page.get_text_range(errors="replace"), _Probe(page)))


def _lines(text: str, probe: _Probe) -> Iterator[Line]:
    # PDFium counts UTF-16 units: characters beyond the first plane count twice.
    wide = 0
    for match in _LINE.finditer(text):
        raw = match[0]
        stripped = raw.strip()
        if stripped:
            start = match.start() + wide + raw.index(stripped[0])
            last = start + len(stripped) - 1
            hyphen = text[match.end() : match.end() + 1] in _HYPHENS and match.end() < len(text)
            yield _measure(stripped, probe, probe.char(start), probe.char(last), hyphen=hyphen)
        if not raw.isascii():
            wide += sum(char > "\uffff" for char in raw)


def _measure(text: str, probe: _Probe, first: int, last: int, *, hyphen: bool) -> Line:
    size, turn = probe.size_and_turn(first)
    size = max(size, probe.size_and_turn(last)[0])  # either end may be a raised mark
    bold = probe.is_bold(first) and probe.is_bold(last)
    x0, y = _turned(*probe.origin(first), turn)
    x1 = probe.right(last) if turn == 0 else _turned(*probe.origin(last), turn)[0] + size / 2
    x1, size = max(x0, x1), size or 1.0
    cells = tuple(_cells(text, probe, first, x0, x1, size)) if turn == 0 else ()
    plain = text.translate(_LIGATURES)
    return Line(plain, x0, x1, y, size, bold, turn, hyphen, cells or (Cell(x0, x1, plain),))


def _cells(text: str, probe: _Probe, first: int, x0: float, x1: float, size: float) -> Iterator[Cell]:
    """Part a line where PDFium wrote one space for a wide gap; nothing where there is none."""
    gap = _CELL_GAP * size
    begin, left = 0, x0
    word, at = 0, x0
    # Characters beyond the first plane count twice; the lines of a table hold none.
    for match in _SPACE.finditer(text) if text.isascii() or max(text) <= "\uffff" else ():
        after = probe.origin(first + match.end())[0]
        # Two words that begin so close to each other have no gap between: that spares a call for most of them.
        if after - at > gap + _NARROW * size * (match.start() - word):
            before = probe.right(first + match.start() - 1)
            if after - before > gap:
                yield Cell(left, before, text[begin : match.start()].translate(_LIGATURES))
                begin, left = match.end(), after
        word, at = match.end(), after
    if begin:
        yield Cell(left, x1, text[begin:].translate(_LIGATURES))


def _turned(x: float, y: float, turn: int) -> tuple[float, float]:
    """Turn a point so that text of this direction runs to the right."""
    return ((x, y), (y, -x), (-x, -y), (-y, x))[turn]


def _join_rows(lines: Iterator[Line]) -> list[Line]:
    """Join what PDFium parts within one row: raised and lowered characters."""
    rows: list[Line] = []
    for line in lines:
        row = rows[-1] if rows else None
        if row is None or row.hyphen or not _in_row(row, line):
            rows.append(line)
            continue
        gap = " " if line.x0 - row.x1 > 0.25 * max(row.size, line.size) else ""
        larger = line if line.size > row.size else row
        row.cells = _joined_cells(row.cells, line.cells, gap, _CELL_GAP * larger.size)
        row.text, row.x1, row.hyphen = row.text + gap + line.text, max(row.x1, line.x1), line.hyphen
        row.y, row.size, row.bold = larger.y, larger.size, row.bold and line.bold
    return rows


def _in_row(row: Line, line: Line) -> bool:
    size = max(row.size, line.size)
    apart = line.x0 - row.x1
    if row.turn != line.turn:
        return False
    if apart >= _CELL_GAP * size:  # the next cell of a table's row
        return row.turn == 0 and abs(row.y - line.y) < 0.2 * size
    return abs(row.y - line.y) < 0.55 * size and -0.6 * size < apart


def _joined_cells(left: tuple[Cell, ...], right: tuple[Cell, ...], gap: str, wide: float) -> tuple[Cell, ...]:
    last, following = left[-1], right[0]
    if following.x0 - last.x1 >= wide:
        return left + right
    return (*left[:-1], Cell(last.x0, max(last.x1, following.x1), last.text + gap + following.text), *right[1:])
