"""Rows on their way from the database to files, by month: the first of them in memory, many on disk."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import Row, month_of
from chatsphere.ports.row_files import RowFiles

Key = tuple[DatasetName, date]

HELD_CHARS: Final = 8 * 1024 * 1024
"""Characters of text that are held in memory."""


class Spool:
    """Keeps rows by dataset and month, in the order in which they came."""

    def __init__(self, files: RowFiles, folder: Path) -> None:
        self._files = files
        self._folder = folder
        self._held: dict[Key, list[Row]] = {}
        self._spilled: dict[Key, list[Path]] = {}
        self._chars = 0

    def add(self, dataset: DatasetName, rows: Iterable[Row]) -> None:
        """Keep rows of a dataset."""
        for row in rows:
            self._held.setdefault((dataset, month_of(row)), []).append(row)
            self._chars += text_chars(row)
            if self._chars > HELD_CHARS:
                self._spill()

    def keys(self) -> list[Key]:
        """Return of which datasets and months there are rows, in order."""
        return sorted({*self._held, *self._spilled})

    def rows(self, key: Key) -> Iterator[Row]:
        """Yield the rows of a dataset and month; as often as wanted."""
        for path in self._spilled.get(key, ()):
            yield from self._files.read(path)
        yield from self._held.get(key, ())

    def _spill(self) -> None:
        for key, rows in self._held.items():
            pages = self._spilled.setdefault(key, [])
            page = self._folder / f"{key[0]}-{key[1]}-{len(pages)}.spool"
            self._files.write(page, DATASETS[key[0]].columns, rows, metadata={})
            pages.append(page)
        self._held = {}
        self._chars = 0


def text_chars(row: Row) -> int:
    """Return about how much a row takes."""
    return 100 + sum(len(value) for value in row.values() if isinstance(value, str))
