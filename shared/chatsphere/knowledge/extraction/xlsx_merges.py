"""The merged cells of a worksheet, which its part names after its rows: a value holds for all rows of its cell."""

import re
from collections.abc import Iterable
from typing import IO

from chatsphere.errors import ExtractionLimitError

_READ_BYTES = 1024 * 1024
_OVERLAP_BYTES = 200
_MAX_MERGES = 200_000
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})[\"']")


def read_merges(stream: IO[bytes]) -> list[tuple[int, int, int]]:
    """Return first row, last row and column (`A` is 0) of what is merged over rows.

    The part is not parsed for it, only inflated: its rows, which precede what is sought, are read later.
    """
    found: dict[tuple[int, int, int], None] = {}
    rest = b""
    while part := stream.read(_READ_BYTES):
        part = rest + part
        for match in _MERGE.finditer(part) if b"mergeCell" in part else ():
            first, last = int(match[2]), int(match[3])
            if first < last:
                found[first, last, column_number(match[1].decode())] = None
        if len(found) > _MAX_MERGES:
            raise ExtractionLimitError
        rest = part[-_OVERLAP_BYTES:]
    return sorted(found)


class Merges:
    """Hands the value of a merged cell on to the rows below its first; rows are to come in order."""

    def __init__(self, merges: Iterable[tuple[int, int, int]]) -> None:
        self._coming = sorted(merges, reverse=True)
        self._open: list[tuple[int, int, str]] = []

    def reach(self, number: int) -> bool:
        """Whether a value from above is merged into this row or a later one."""
        return any(last >= number for last, _, _ in self._open)

    def fill(self, number: int, cells: dict[int, str]) -> dict[int, str]:
        """Add to a row what is merged into it."""
        if not self._coming and not self._open:
            return cells
        self._open = [merge for merge in self._open if merge[0] >= number]
        for _, column, text in self._open:
            cells.setdefault(column, text)
        while self._coming and self._coming[-1][0] <= number:
            first, last, column = self._coming.pop()
            if first == number and column in cells:
                self._open.append((last, column, cells[column]))
        return dict(sorted(cells.items()))


def column_number(letters: str) -> int:
    """The 0-based number of a column: A is 0, XFD 16,383."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
