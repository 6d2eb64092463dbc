"""Rows in parts that each fit into a file, and what is known of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chatsphere.archive.datasets import DATASETS
from chatsphere.archive.model import FILE_BYTES, FILE_ROWS, Place, Row, subjects_of
from chatsphere.archive.spooling import text_chars


@dataclass(frozen=True, slots=True)
class About:
    """What is known of rows beside themselves: when they leave the archive, who wrote, which copied part they are."""

    expires_at: datetime | None = None
    run_id: UUID | None = None
    source: str | None = None


@dataclass(slots=True)
class Seen:
    """What there was in rows that went by."""

    place: Place
    ids: list[str] = field(default_factory=list)
    subjects: set[int] = field(default_factory=set)
    first: datetime = datetime.max
    last: datetime = datetime.min

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows, and note them."""
        dataset = DATASETS[self.place.dataset]
        for row in rows:
            moment = row["created_at"]
            self.first = min(self.first, moment) if self.ids else moment
            self.last = max(self.last, moment) if self.ids else moment
            self.ids.append(row["id"])
            self.subjects.update(subjects_of(dataset, row))
            yield row


class RowParts:
    """Rows in parts that each fit into a file."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    @property
    def more(self) -> bool:
        """Whether any are left."""
        return self._next is not None

    def part(self, *, free: int) -> Iterator[Row]:
        """Yield rows until a file is full; the text of the first `free` is not counted: they were in one already."""
        chars = 0
        for taken in range(max(FILE_ROWS, free)):
            if self._next is None or chars > FILE_BYTES:
                return
            row, self._next = self._next, next(self._rows, None)
            chars += text_chars(row) if taken >= free else 0
            yield row
