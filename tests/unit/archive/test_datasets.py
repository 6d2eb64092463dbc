"""Files of released versions stay readable, and docs/archive.md tells of every column."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.archive.checked import CONTENT_TYPE, sha256_of
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import ArchiveFile, Place
from chatsphere.archive.reading import JSON_COLUMNS, as_json
from chatsphere.archive.writing import FileWriter
from chatsphere.ports.row_files import Column, ColumnType
from tests.fakes import FixedClock, InMemoryObjectStore

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "archive.md"

VERSION_1: Final = {
    "conversations": (
        "id:text end_user_id:text title:text channel:text metadata:text history_digest:text "
        "created_at:timestamp updated_at:timestamp ended_at:timestamp archived_at:timestamp"
    ),
    "messages": (
        "id:text conversation_id:text end_user_id:text role:text content:text answerable:boolean reason:text "
        "finish_reason:text citations:text sources:text model:text prompt_tokens:bigint "
        "completion_tokens:bigint embedding_tokens:bigint cost_microdollars:bigint latency_ms:text "
        "metadata:text created_at:timestamp"
    ),
    "feedback": (
        "id:text conversation_id:text message_id:text message_created_at:timestamp end_user_id:text "
        "conversation_end_user_id:text rating:bigint comment:text created_at:timestamp updated_at:timestamp"
    ),
    "usage_events": (
        "id:text api_key_id:text user_id:text end_user_id:text conversation_id:text metric:text value:bigint "
        "model:text channel:text prompt_tokens:bigint completion_tokens:bigint embedding_tokens:bigint "
        "cost_microdollars:bigint answerable:boolean reason:text finish_reason:text cached:boolean "
        "citations:bigint dropped_citations:bigint total_ms:bigint first_token_ms:bigint retrieve_ms:bigint "
        "metadata:text created_at:timestamp"
    ),
    "audit_log": (
        "id:text actor_user_id:text actor_api_key_id:text action:text object_type:text object_id:text "
        "address:text user_agent:text request_id:text before:text after:text created_at:timestamp"
    ),
    "error_logs": (
        "id:text document_id:text service:text error_type:text message:text details:text created_at:timestamp"
    ),
}
"""Columns of files of version 1, in their order: as released, and never changed."""

NOW: Final = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
VALUES: Final = {
    ColumnType.TEXT: "text",
    ColumnType.BIGINT: -5,
    ColumnType.BOOLEAN: True,
    ColumnType.TIMESTAMP: NOW,
}


def columns_of_version_1(name: str) -> list[Column]:
    pairs = [pair.split(":") for pair in "".join(VERSION_1[name]).split()]
    return [Column(column, ColumnType[type_.upper()]) for column, type_ in pairs]


def a_file(folder: Path, name: DatasetName, columns: list[Column]) -> tuple[FileWriter, ArchiveFile, dict[str, Any]]:
    """Put a file of these columns into a bucket, as a former release did."""
    ids, store, files = UuidV7Ids(SystemClock()), InMemoryObjectStore(FixedClock()), ParquetFiles()
    row = {column.name: VALUES[column.type] for column in columns}
    path = folder / "former"
    files.write(path, columns, [row], metadata={"chatsphere.schema_version": "1"})
    place = Place(ids.new(), ids.new(), name, NOW.date().replace(day=1))
    key = f"{place.prefix}former.parquet"
    stored = store.put(key, path.read_bytes(), content_type=CONTENT_TYPE, metadata={})
    file = ArchiveFile(
        id=ids.new(),
        organization_id=place.organization_id,
        bot_id=place.bot_id,
        dataset=name,
        month=place.month,
        key=key,
        version_id=str(stored.version_id),
        status="complete",
        schema_version=1,
        rows=1,
        bytes=stored.size,
        sha256=sha256_of(path),
        first_created_at=NOW,
        last_created_at=NOW,
        archived_at=NOW,
        changed_at=NOW,
    )
    return FileWriter(files, store, SystemClock(), ids, folder), file, row


@pytest.mark.parametrize("name", list(DatasetName))
def test_a_file_of_version_1_is_read(tmp_path: Path, name: DatasetName) -> None:
    writer, file, row = a_file(tmp_path, name, columns_of_version_1(name))
    # When
    (found,) = writer.read(file)
    # Then what it has is there, and what came later is unknown
    assert {column: found[column] for column in row} == row
    assert all(value is None for column, value in found.items() if column not in row)


def test_a_file_without_a_later_column_is_written_anew_with_it(tmp_path: Path) -> None:
    columns = [column for column in columns_of_version_1("messages") if column.name != "answerable"]
    writer, file, row = a_file(tmp_path, DatasetName.MESSAGES, columns)
    # When
    changed = writer.change(file, lambda row: row)
    # Then
    assert changed is not None
    assert list(writer.read(changed)) == [row | {"answerable": None}]


@pytest.mark.parametrize("name", list(DatasetName))
def test_no_column_of_version_1_was_changed_or_taken(name: DatasetName) -> None:
    assert set(columns_of_version_1(name)) <= set(DATASETS[name].columns)


@pytest.mark.parametrize("name", list(DatasetName))
def test_names_and_types_are_those_that_athena_takes(name: DatasetName) -> None:
    names = [column.name for column in DATASETS[name].columns]
    assert all(re.fullmatch("[a-z][a-z0-9_]*", column) for column in names)
    assert len(names) == len(set(names))
    assert {"id", "created_at"} <= set(names)
    assert not {"organization_id", "bot_id", "month"} & set(names)


@pytest.mark.parametrize("name", list(DatasetName))
def test_every_column_is_described(name: DatasetName) -> None:
    section = DOCUMENT.read_text().split(f"### `{name}`\n")[1].split("\n##")[0]
    described = re.findall(r"^\| `([a-z_0-9]+)` \| (\w+) \| [^|]{3,} \|$", section, re.MULTILINE)
    types = {ColumnType.TEXT: "text", ColumnType.BIGINT: "bigint", ColumnType.BOOLEAN: "boolean"}
    expected = [(column.name, types.get(column.type, "timestamp")) for column in DATASETS[name].columns]
    shown = [(column, "text" if type_ == "json" else type_) for column, type_ in described]
    assert shown == expected
    assert {column for column, type_ in described if type_ == "json"} == {
        column.name
        for column in DATASETS[name].columns
        if column.name in JSON_COLUMNS and column.type is ColumnType.TEXT
    }


def test_json_is_shown_as_values() -> None:
    assert as_json({"metadata": '{"a": 1}', "citations": 3, "created_at": NOW, "before": None}) == {
        "metadata": {"a": 1},
        "citations": 3,
        "created_at": "2026-01-02T03:04:05.000006Z",
        "before": None,
    }
