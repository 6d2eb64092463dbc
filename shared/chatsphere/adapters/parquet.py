"""`RowFiles` as Apache Parquet, by the Arrow implementation in Rust."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatsphere.errors import CorruptDocumentError
from chatsphere.ports.row_files import Column, ColumnType

if TYPE_CHECKING:
    from arro3.core import Array, DataType, RecordBatch

COMPRESSION: Final = "zstd(3)"
BATCH_ROWS: Final = 1_000
BATCH_CHARS: Final = 4 * 1024 * 1024
ROW_GROUP_ROWS: Final = 10_000
"""Rows that the writer holds at once, compressed."""

_MAGIC: Final = b"PAR1"
_SMALLEST: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ParquetFiles:
    """The `RowFiles` port. The library is loaded when first used: it weighs more than all of ChatSphere."""

    def write(
        self, target: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, metadata: Mapping[str, str]
    ) -> int:
        """See `RowFiles.write`."""
        from arro3.core import Field, RecordBatchReader, Schema
        from arro3.io import write_parquet

        schema = Schema([Field(column.name, _arrow_type(column.type), nullable=True) for column in columns])
        counted = _Batches(iter(rows), columns, schema)
        try:
            write_parquet(
                RecordBatchReader.from_batches(schema, counted),
                target,
                compression=COMPRESSION,
                key_value_metadata=dict(metadata),
                max_row_group_size=ROW_GROUP_ROWS,
                # The types are plain enough to be told by Parquet's own schema.
                skip_arrow_metadata=True,
            )
        except Exception:
            # What an iterator raises comes out of the library as an error of its own.
            if counted.failure is not None:
                raise counted.failure from None
            raise
        return counted.rows

    def read(self, source: Path, columns: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """See `RowFiles.read`."""
        from arro3.io import read_parquet

        _expect_parquet(source)
        with _readable():
            reader = iter(read_parquet(source, batch_size=BATCH_ROWS))
        while True:
            with _readable():
                batch = next(reader, None)
            if batch is None:
                return
            yield from _rows(batch, columns)


class _Batches:
    """Makes record batches of rows and keeps what went wrong, and how many rows there were."""

    def __init__(self, rows: Iterator[Mapping[str, Any]], columns: Sequence[Column], schema: Any) -> None:
        self._rows = rows
        self._columns = columns
        self._schema = schema
        self.rows = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> "_Batches":
        return self

    def __next__(self) -> "RecordBatch":
        from arro3.core import RecordBatch

        try:
            taken = self._take()
            batch = RecordBatch.from_arrays([_array(column, taken) for column in self._columns], schema=self._schema)
        except BaseException as error:
            self.failure = error
            raise
        if not taken:
            raise StopIteration
        self.rows += len(taken)
        return batch

    def _take(self) -> list[Mapping[str, Any]]:
        taken, chars = [], 0
        for row in islice(self._rows, BATCH_ROWS):
            taken.append(row)
            chars += sum(len(value) for value in row.values() if isinstance(value, str))
            if chars > BATCH_CHARS:
                break
        return taken


def _array(column: Column, rows: Sequence[Mapping[str, Any]]) -> "Array":
    from arro3.core import Array, DataType

    values = [row[column.name] for row in rows]
    try:
        if column.type is ColumnType.TIMESTAMP:
            micros = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
            return Array(micros, type=DataType.int64()).cast(_arrow_type(column.type))
        return Array(values, type=_arrow_type(column.type))
    except (TypeError, OverflowError, UnicodeError) as error:
        raise ValueError(f"A value of the column {column.name} is not of its type.") from error


def _arrow_type(type_: ColumnType) -> "DataType":
    from arro3.core import DataType

    match type_:
        case ColumnType.TEXT:
            return DataType.utf8()
        case ColumnType.BIGINT:
            return DataType.int64()
        case ColumnType.BOOLEAN:
            return DataType.bool()
        case ColumnType.TIMESTAMP:
            return DataType.timestamp("us", tz="UTC")


def _rows(batch: "RecordBatch", columns: Collection[str] | None) -> Iterator[dict[str, Any]]:
    names = [name for name in batch.schema.names if columns is None or name in columns]
    values = [[_plain(value) for value in batch.column(name).to_pylist()] for name in names]
    for row in zip(*values, strict=True):
        yield dict(zip(names, row, strict=True))


def _plain(value: Any) -> Any:
    # The library names the zone as a region.
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _expect_parquet(source: Path) -> None:
    """Refuse what lacks Parquet's marks: of such a file the library does not raise but panics, onto standard error."""
    with source.open("rb") as file:
        head = file.read(len(_MAGIC))
        size = file.seek(0, 2)
        file.seek(max(size - len(_MAGIC), 0))
        if size < _SMALLEST or head != _MAGIC or file.read() != _MAGIC:
            raise CorruptDocumentError


@contextmanager
def _readable() -> Iterator[None]:
    """Let no error of the library's out; its panics are no `Exception`."""
    try:
        yield
    except StopIteration:
        raise
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:
        raise CorruptDocumentError from None
