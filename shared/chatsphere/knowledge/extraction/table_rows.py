"""The rows of a table of data, CSV or worksheet, as blocks: one line per row, `header: value; header: value`.

A row that names its columns is found by a question about it, and reads well where it is quoted alone. A block is
about one passage long, so that the rows that its path names (`Rows 2-9`) are those that a citation shows.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import chain, pairwise
from types import MappingProxyType
from typing import NamedTuple

from chatsphere.knowledge.text import Block, BlockKind

_BLOCK_CHARS = 500
_MAX_HEADER_CHARS = 120
_VALUE = re.compile(
    r"[-+(]?[\s$€£¥]*\d[\d.,:/\s%€$£¥)-]*|true|false|yes|no|null|n/?a|\S+@\S+|https?://\S+", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")


class Row(NamedTuple):
    """A row that is not empty: its 1-based number, its cells that are not, by their 0-based column in order, and
    where it begins in its source (a number of the source's own).
    """

    number: int
    cells: Mapping[int, str]
    begins: int = 0


class Before(NamedTuple):
    """What has to be known before a row to read on from there: where the row begins, its number, the number of the
    row before it, the names of the columns, and whether a table has begun.
    """

    begins: int = 0
    number: int = 1
    last: int = 0
    names: Mapping[int, str] = MappingProxyType({})
    in_table: bool = False


BEGINNING = Before()


def row_blocks(
    rows: Iterable[Row],
    path: tuple[str, ...] = (),
    headers: Container[int] = (),
    before: Before = BEGINNING,
    reached: Callable[[Before], None] | None = None,
) -> Iterator[Block]:
    """Yield the blocks of a sheet's rows.

    `headers` are the numbers of rows that are known to name columns. Where none is, the first row with more than
    one cell does if it looks like it, and so does one after an empty row. `reached` is told, after each block, what
    was known before the row that comes next; given again as `before`, with that row as the first of `rows`, the blocks
    go on from there.
    """
    lines: list[str] = []
    first = last = size = 0
    for number, line, known in _lines(rows, headers, before):
        if size > _BLOCK_CHARS or (lines and size + len(line) > 2 * _BLOCK_CHARS):
            yield _block(lines, first, last, path)
            lines, size = [], 0
            if reached:
                reached(known)
        first, last = first if lines else number, number
        lines.append(line)
        size += len(line)
    if lines:
        yield _block(lines, first, last, path)


def _block(lines: list[str], first: int, last: int, path: tuple[str, ...]) -> Block:
    place = f"Row {first}" if first == last else f"Rows {first}-{last}"
    return Block("\n".join(lines), BlockKind.TABLE, heading_path=(*path, place))


def _lines(rows: Iterable[Row], headers: Container[int], before: Before) -> Iterator[tuple[int, str, Before]]:
    """The rows' numbers and lines, and what was known before them; a header has a line of its own only where no row
    stands under it.
    """
    names, in_table, last = before.names, before.in_table, before.last
    for row, following in pairwise(chain(rows, [None])):
        if row is None:
            return
        known = Before(row.begins, row.number, last, names, in_table)
        gap, last = row.number > last + 1, row.number
        adjacent = following if following is not None and following.number == row.number + 1 else None
        if row.number in headers:
            is_header = True
        elif in_table:
            is_header = gap and adjacent is not None and _is_header(row, adjacent) and _holds_values(row, adjacent)
        else:
            is_header = _is_header(row, following)
        in_table = in_table or is_header or len(row.cells) > 1
        if is_header:
            names = row.cells
        if is_header and following is not None:
            continue
        # A single cell apart from the table is a remark, not a value of its first column.
        apart = gap and len(row.cells) == 1 and len(names) > 2
        line = " | ".join(row.cells.values()) if is_header or apart or not names else _pairs(names, row)
        yield row.number, line, known


def _pairs(names: Mapping[int, str], row: Row) -> str:
    return "; ".join(f"{names[at]}: {cell}" if at in names else cell for at, cell in row.cells.items())


def _holds_values(header: Row, row: Row) -> bool:
    return any(at in header.cells and _VALUE.fullmatch(cell) for at, cell in row.cells.items())


def _is_header(row: Row, following: Row | None) -> bool:
    names = list(row.cells.values())
    needed = max(2, len(following.cells) // 2) if following is not None else 2
    if len(names) < needed or len(set(names)) < len(names):
        return False
    values = [name for name in names if _VALUE.fullmatch(name)]
    if any(len(name) > _MAX_HEADER_CHARS for name in names) or (values and not _are_years(names, values)):
        return False
    return following is None or row.cells != following.cells


def _are_years(names: list[str], values: list[str]) -> bool:
    """Whether the values among a header's names are years in a row: `Region, 2023, 2024`."""
    if len(values) < 2 or len(values) == len(names) or not all(map(_YEAR.fullmatch, values)):
        return False
    return {int(b) - int(a) for a, b in pairwise(values)} in ({1}, {-1})
