"""Tables and side-by-side columns of a PDF page, told by the gaps in its lines.

PDFium writes a table's row as one line, and may write the lines of two columns of prose as one, too. A run of lines
whose gaps stand below each other is the one or the other: cells of prose are long and full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

from chatsphere.knowledge.extraction.pdf_lines import Cell, Line

_ALIGNED = 0.7
"""In font sizes: how far the edges of cells below each other may be apart."""
_ROW_STEP = 3.5
_MIN_PROSE_ROWS = 4
_PROSE_CHARS = 25
_FULL_SHARE = 0.6
_MARKER_CHARS = 4
_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, their cells parted by bars."""

    rows: list[str]


def arrange(lines: Sequence[Line]) -> Iterator[list[Line] | Table]:
    """Yield the lines in reading order, and the tables among them."""
    for start, end, aligned in _runs(lines):
        run = list(lines[start:end])
        if not aligned:
            yield run
        elif _is_prose(run):
            yield _columns(run)
        else:
            yield Table(list(_rows(run)))


def _runs(lines: Sequence[Line]) -> Iterator[tuple[int, int, bool]]:
    """Part the lines into runs with and without cells below each other: (first, behind the last, with)."""
    in_table = [False] * len(lines)
    latest: int | None = None  # the last line with cells, while lines of its table may follow
    strangers = 0  # lines behind it that belong to none of its cells
    for index, line in enumerate(lines):
        if latest is not None and not (_goes_on(lines, index) and strangers < 2):
            latest = None
        if _has_cells(line):
            if latest is not None and _are_aligned(lines[latest], line):
                in_table[latest : index + 1] = [True] * (index + 1 - latest)
            latest, strangers = index, 0
        elif latest is not None and not strangers and _is_wrapped(lines[latest], line):
            in_table[index] = in_table[latest]
        else:
            strangers += 1
    for wanted, members in groupby(range(len(lines)), key=in_table.__getitem__):
        indexes = list(members)
        yield indexes[0], indexes[-1] + 1, wanted


def _has_cells(line: Line) -> bool:
    """Whether a line has cells; the mark of a list's item makes none."""
    return len(line.cells) > (2 if len(line.cells[0].text) <= _MARKER_CHARS and not line.cells[0].text.isalpha() else 1)


def _goes_on(lines: Sequence[Line], index: int) -> bool:
    """Whether a line can belong to the table of the line before it."""
    above, line = lines[index - 1], lines[index]
    step = above.y - line.y
    near = above.turn == line.turn == 0 and 0 < step < _ROW_STEP * max(above.size, line.size)
    return near and not above.running and not line.running


def _is_wrapped(row: Line, line: Line) -> bool:
    """Whether a line goes on with a cell of the row above, one that is not its first."""
    near = _ALIGNED * max(row.size, line.size)
    starts = any(abs(cell.x0 - line.x0) < near for cell in row.cells[1:])
    return starts and abs(row.size - line.size) < 0.1 * row.size


def _are_aligned(above: Line, line: Line) -> bool:
    """Whether a cell other than the first stands below another one: left edges, right edges or middles."""
    near = _ALIGNED * max(above.size, line.size)
    return any(
        abs(one.x0 - other.x0) < near
        or abs(one.x1 - other.x1) < near
        or abs(one.x0 + one.x1 - other.x0 - other.x1) < near
        for one in above.cells[1:]
        for other in line.cells[1:]
    )


def _is_prose(run: Sequence[Line]) -> bool:
    rows = [line for line in run if len(line.cells) > 1]
    if len(rows) < _MIN_PROSE_ROWS or any(len(line.cells) != len(rows[0].cells) for line in rows):
        return False
    for column in zip(*(line.cells for line in rows), strict=True):
        if median(len(cell.text) for cell in column) < _PROSE_CHARS:
            return False
        left, right = min(cell.x0 for cell in column), max(cell.x1 for cell in column)
        if sum(cell.x1 - left > 0.9 * (right - left) for cell in column) < _FULL_SHARE * len(column):
            return False
    return True


def _columns(run: Sequence[Line]) -> list[Line]:
    """One column's lines after the other's."""
    starts = [cell.x0 for cell in next(line for line in run if len(line.cells) > 1).cells]
    columns: list[list[Line]] = [[] for _ in starts]
    for line in run:
        for cell in line.cells:
            nearest = min(range(len(starts)), key=lambda index: abs(starts[index] - cell.x0))
            last = cell is line.cells[-1]
            hyphen = line.hyphen if last else cell.text.endswith("-")
            text = cell.text if last else cell.text.removesuffix("-")
            columns[nearest].append(
                replace(line, text=text, x0=cell.x0, x1=cell.x1, hyphen=hyphen, cells=(Cell(cell.x0, cell.x1, text),))
            )
    return [line for column in columns for line in column]


def _rows(run: Sequence[Line]) -> Iterator[str]:
    """The rows with their cells in the columns that the widest row shows; a wrapped cell's lines are joined."""
    widest = max(run, key=lambda line: len(line.cells)).cells
    pending: list[str] = []
    for line in run:
        places = [_column(cell, widest, _ALIGNED * line.size) for cell in line.cells]
        if len(set(places)) != len(places) or places != sorted(places):
            places = list(range(len(places)))
        if pending and len(places) == 1 and places[0] > 0:
            index = places[0]
            pending[index] = f"{pending[index]} {line.cells[0].text}".strip()
            continue
        if pending:
            yield _row(pending)
        pending = [""] * len(widest)
        for place, cell in zip(places, line.cells, strict=True):
            pending[place] = cell.text
    yield _row(pending)


def _row(cells: list[str]) -> str:
    return _SEPARATOR.join(cells).strip(" |")


def _column(cell: Cell, columns: Sequence[Cell], near: float) -> int:
    """The column that a cell begins with, else the one that it shares most of its width with, or is nearest to."""

    def fit(index: int) -> tuple[bool, float]:
        column = columns[index]
        return abs(cell.x0 - column.x0) < near, min(cell.x1, column.x1) - max(cell.x0, column.x0)

    return max(range(len(columns)), key=fit)
