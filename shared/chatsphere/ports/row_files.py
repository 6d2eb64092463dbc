"""Files of typed rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol


class ColumnType(Enum):
    """What the values of a column are in Python."""

    TEXT = auto()
    BIGINT = auto()
    """`int` of 64 bits."""
    BOOLEAN = auto()
    TIMESTAMP = auto()
    """`datetime` in UTC, to the microsecond."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; its name is in lower case, and any value may be None."""

    name: str
    type: ColumnType


class RowFiles(Protocol):
    """Files of typed rows that tools of analysis read."""

    def write(
        self, target: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, metadata: Mapping[str, str]
    ) -> int:
        """Write a file and return how many rows it has; `rows` are taken one after the other, never all at once.

        Raises:
            ValueError: a value is not its column's type, or no text that UTF-8 knows.
        """
        ...

    def read(self, source: Path, columns: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows in their order, with these columns, or with all that the file has.

        Raises:
            CorruptDocumentError: it is no such file.
        """
        ...
