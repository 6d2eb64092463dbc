"""Tables as text: RFC 4180, and nothing in them that a spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

MEDIA_TYPE: Final = "text/csv"
CONTENT_TYPE: Final = "text/csv; charset=utf-8; header=present"

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins, in full-width characters, too."""


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows' values of these columns, with a line of their names; a missing value is empty.

    Text that a spreadsheet could take for a formula is given a leading apostrophe.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            # A number is one, also where it is negative.
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case list() | tuple() | set() | frozenset():
            return _text(" ".join(map(str, value)))
    return _text(str(value))


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
