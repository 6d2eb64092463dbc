"""The `RowFiles` port: Parquet."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chatsphere.adapters import parquet
from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.errors import CorruptDocumentError
from chatsphere.ports.row_files import Column, ColumnType, RowFiles

COLUMNS = [
    Column("text", ColumnType.TEXT),
    Column("number", ColumnType.BIGINT),
    Column("flag", ColumnType.BOOLEAN),
    Column("time", ColumnType.TIMESTAMP),
]
NOTHING: dict[str, Any] = dict.fromkeys(["text", "number", "flag", "time"])
ROWS: list[dict[str, Any]] = [
    {
        "text": "ü😀\U0010ffff\x00\x01\r\n",
        "number": 2**63 - 1,
        "flag": True,
        "time": datetime(9999, 12, 31, tzinfo=UTC),
    },
    {"text": "", "number": -(2**63), "flag": False, "time": datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)},
    {"text": '{"lone": "\\ud800"}', "number": 0, "flag": None, "time": datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)},
    NOTHING,
]


@pytest.fixture
def files() -> RowFiles:
    return ParquetFiles()


def test_rows_come_back_as_they_were(files: RowFiles, tmp_path: Path) -> None:
    path, many = tmp_path / "file", ROWS * 1000
    assert files.write(path, COLUMNS, iter(many), metadata={}) == 4000
    assert list(files.read(path)) == many
    assert list(files.read(path, {"number"}))[:2] == [{"number": 2**63 - 1}, {"number": -(2**63)}]


def test_large_texts_are_taken_a_few_at_a_time(files: RowFiles, tmp_path: Path) -> None:
    # Given rows of a megabyte, of which somebody counts how many are held at once
    held: list[int] = []
    alive = 0

    class Row(dict[str, Any]):
        def __init__(self, text: str) -> None:
            nonlocal alive
            super().__init__(NOTHING | {"text": text})
            alive += 1
            held.append(alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    rows = (Row(str(number % 10) * 1_000_000) for number in range(30))
    # When
    assert files.write(tmp_path / "file", COLUMNS, rows, metadata={}) == 30
    # Then
    assert max(held) <= 2 * parquet.BATCH_CHARS / 1_000_000
    assert [row["text"][:1] for row in files.read(tmp_path / "file")][-2:] == ["8", "9"]


def test_no_rows_are_a_file_of_no_rows(files: RowFiles, tmp_path: Path) -> None:
    assert files.write(tmp_path / "file", COLUMNS, [], metadata={}) == 0
    assert list(files.read(tmp_path / "file")) == []


@pytest.mark.parametrize(
    "wrong", [{"text": 5}, {"text": "\ud800"}, {"number": 2**63}, {"number": "5"}, {"flag": "x"}, {"time": "now"}]
)
def test_what_is_no_value_of_its_column_is_refused(files: RowFiles, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        files.write(tmp_path / "file", COLUMNS, [NOTHING | wrong], metadata={})


def test_what_goes_wrong_while_rows_are_made_is_told(files: RowFiles, tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield NOTHING
        raise KeyError("lost")

    with pytest.raises(KeyError):
        files.write(tmp_path / "file", COLUMNS, rows(), metadata={})


@pytest.mark.parametrize("body", [b"", b"PAR1", b"x" * 100, b"PAR1" + b"\xff" * 100 + b"PAR1"])
def test_what_is_no_such_file_is_refused(files: RowFiles, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "file").write_bytes(body)
    with pytest.raises(CorruptDocumentError):
        list(files.read(tmp_path / "file"))


def test_a_damaged_page_is_refused(files: RowFiles, tmp_path: Path) -> None:
    files.write(tmp_path / "file", COLUMNS, ROWS * 100, metadata={})
    body = bytearray((tmp_path / "file").read_bytes())
    body[40:80] = bytes(40)
    (tmp_path / "file").write_bytes(body)
    with pytest.raises(CorruptDocumentError):
        list(files.read(tmp_path / "file"))


def test_others_read_what_is_written(files: RowFiles, tmp_path: Path) -> None:
    """Plain types, compressed with zstd, in row groups that are bounded: what DuckDB and Athena read."""
    path = tmp_path / "file"
    files.write(path, COLUMNS, (NOTHING | {"number": n} for n in range(25_000)), metadata={"chatsphere.x": "1"})
    connection = duckdb.connect()
    described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
    assert [row[:2] for row in described] == [
        ("text", "VARCHAR"),
        ("number", "BIGINT"),
        ("flag", "BOOLEAN"),
        ("time", "TIMESTAMP WITH TIME ZONE"),
    ]
    about = f"SELECT DISTINCT row_group_num_rows, compression FROM parquet_metadata('{path}') ORDER BY 1"
    assert connection.execute(about).fetchall() == [(5_000, "ZSTD"), (10_000, "ZSTD")]
    assert connection.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall() == [
        (b"chatsphere.x", b"1")
    ]
    assert connection.execute(f"SELECT count(*), sum(number) FROM read_parquet('{path}')").fetchall() == [
        (25_000, sum(range(25_000)))
    ]
