"""CSV and TSV: one line per row, `header: value; header: value`.

A row that names its columns is found by a question about it, and reads well where it is quoted alone.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.text import Block, BlockKind

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 200
_BLOCK_CHARS = 8_000
_MAX_FIELD_CHARS = 1_000_000
_MAX_HEADER_CHARS = 120
_VALUE = re.compile(r"[-+(]?[\s$€£¥]*\d[\d.,:/\s%€$£¥)-]*|true|false|yes|no|null|n/?a", re.IGNORECASE)


def parse(path: Path, _limits: ExtractionLimits) -> Parsed:
    """Read a table of text whose delimiter and encoding are found out."""
    return Parsed(_blocks(path))


def _blocks(path: Path) -> Iterator[Block]:
    with open_text(path) as stream:
        sample = list(islice(iter(lambda: stream.readline(_MAX_FIELD_CHARS), ""), _SAMPLE_LINES))
        delimiter, skip = _dialect(sample)
        rows = _rows(chain(sample[skip:], stream), delimiter)
        lines: list[str] = []
        size = 0
        for line in _render(rows):
            if size > _BLOCK_CHARS:
                yield Block("\n".join(lines), BlockKind.TABLE)
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        yield Block("\n".join(lines), BlockKind.TABLE)


def _dialect(sample: list[str]) -> tuple[str, int]:
    """The delimiter, and how many lines (Excel's `sep=;`) precede the table."""
    if sample and (told := re.fullmatch(r'"?sep=(.)"?\n?', sample[0], re.IGNORECASE)):
        return told[1], 1
    return max(_DELIMITERS, key=lambda delimiter: _regularity(sample, delimiter)), 0


def _regularity(sample: list[str], delimiter: str) -> tuple[float, int]:
    """How many of the rows have the most frequent number of columns, of those with more than one."""
    whole = sample[:-1] if len(sample) == _SAMPLE_LINES else sample  # the last row may go on
    try:
        widths = Counter(len(row) for row in csv.reader(whole, delimiter=delimiter) if any(row))
    except csv.Error:
        return 0.0, 0
    columns, rows = max(
        ((width, count) for width, count in widths.items() if width > 1), key=lambda item: item[1], default=(1, 0)
    )
    return round(rows / max(widths.total(), 1), 1), columns


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_FIELD_CHARS)
    try:
        for row in csv.reader((line.replace("\0", "") for line in lines), delimiter=delimiter):
            cells = [" ".join(cell.split()) for cell in row]
            if any(cells):
                yield cells
    except csv.Error:  # a quote that is never closed
        raise CorruptDocumentError from None


def _render(rows: Iterator[list[str]]) -> Iterator[str]:
    first = next(rows, None)
    if first is None:
        return
    following = list(islice(rows, 1))
    if not _is_header(first, following):
        yield from (" | ".join(row).strip(" |") for row in chain([first], following, rows))
        return
    if not following:
        yield " | ".join(first)
    for row in chain(following, rows):
        yield "; ".join(_pairs(first, row))


def _pairs(header: list[str], row: list[str]) -> Iterator[str]:
    for position, cell in enumerate(row):
        if cell:
            name = header[position] if position < len(header) else ""
            yield f"{name}: {cell}" if name else cell


def _is_header(first: list[str], following: list[list[str]]) -> bool:
    names = [cell for cell in first if cell]
    return (
        len(first) > 1
        and len(names) >= max(2, len(first) // 2)
        and len(set(names)) == len(names)
        and not any(_VALUE.fullmatch(cell) or len(cell) > _MAX_HEADER_CHARS for cell in names)
        and (not following or first != following[0])
    )
