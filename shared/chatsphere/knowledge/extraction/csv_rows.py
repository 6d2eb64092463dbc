"""CSV and TSV: which delimiter parts the cells of their rows. A row's number is that of a spreadsheet program."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.extraction.encodings import open_text
from chatsphere.knowledge.extraction.limits import ExtractionLimits
from chatsphere.knowledge.extraction.parsed import Parsed
from chatsphere.knowledge.extraction.source import Source
from chatsphere.knowledge.extraction.table_rows import Row, row_blocks
from chatsphere.knowledge.text import Block

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 200
_MAX_FIELD_CHARS = 1_000_000


def parse(path: Source, _limits: ExtractionLimits) -> Parsed:
    """Read a table of text whose delimiter and encoding are found out."""
    return Parsed(_blocks(path))


def _blocks(path: Source) -> Iterator[Block]:
    with open_text(path) as stream:
        sample = list(islice(iter(lambda: stream.readline(_MAX_FIELD_CHARS), ""), _SAMPLE_LINES))
        delimiter, skip = _dialect(sample)
        yield from row_blocks(_rows(chain(sample[skip:], stream), delimiter))


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


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(_MAX_FIELD_CHARS)
    try:
        for number, row in enumerate(csv.reader((line.replace("\0", "") for line in lines), delimiter=delimiter), 1):
            cells = {at: text for at, cell in enumerate(row) if (text := " ".join(cell.split()))}
            if cells:
                yield Row(number, cells)
    except csv.Error:  # a quote that is never closed
        raise CorruptDocumentError from None
