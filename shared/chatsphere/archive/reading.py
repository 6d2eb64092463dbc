"""Rows of an archived file, page by page."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.manifest import get_file
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.archive.spooling import text_chars
from chatsphere.archive.writing import FileWriter
from chatsphere.db.database import Database
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids

PAGE_CHARS: Final = 1024 * 1024
"""A page ends with the row that goes beyond: an answer of a function has 6 MB."""

JSON_COLUMNS: Final = frozenset({"metadata", "citations", "sources", "latency_ms", "before", "after", "details"})


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Rows as JSON values by column; `next` is the position after the last, None where nothing follows."""

    rows: list[dict[str, Any]]
    next: int | None


@dataclass(frozen=True, slots=True)
class ArchiveReader:
    """Reads archived files, each compared with what was written before anything of it is shown."""

    database: Database
    store: ObjectStore
    files: RowFiles
    clock: Clock
    ids: Ids

    def page(
        self,
        organization_id: UUID,
        file_id: UUID,
        *,
        start: Callable[[ArchiveFile], int],
        limit: int,
        conversation_id: UUID | None = None,
        end_user_id: str | None = None,
    ) -> tuple[ArchiveFile, RowsPage]:
        """Return a file and up to `limit` of its rows from the position that `start` names, only of this conversation
        and end user where they are named.

        Raises:
            NotFoundError: the tenant has no such file.
            ArchiveDamagedError: the object is not what was written, or is gone.
            UnavailableError: the bucket does not answer.
        """
        file = self._file(organization_id, file_id)
        while True:
            try:
                return file, self._page(file, start(file), limit, conversation_id, end_user_id)
            except ArchiveDamagedError:
                # Written anew since the manifest was read: the version is gone then.
                former, file = file, self._file(organization_id, file_id)
                if file.version_id == former.version_id:
                    raise

    def _file(self, organization_id: UUID, file_id: UUID) -> ArchiveFile:
        with self.database.transaction(organization_id) as connection:
            return get_file(connection, file_id)

    def _page(
        self, file: ArchiveFile, start: int, limit: int, conversation_id: UUID | None, end_user_id: str | None
    ) -> RowsPage:
        found: list[dict[str, Any]] = []
        chars = 0
        with tempfile.TemporaryDirectory(prefix="archive-") as folder:
            rows = FileWriter(self.files, self.store, self.clock, self.ids, Path(folder)).read(file)
            for position, row in enumerate(rows):
                if position < start or not _matches(file.dataset, row, conversation_id, end_user_id):
                    continue
                if len(found) == limit or chars > PAGE_CHARS:
                    return RowsPage(found, position)
                chars += text_chars(row)
                found.append(as_json(row))
        return RowsPage(found, None)


def as_json(row: Row) -> dict[str, Any]:
    """Return a row with its JSON as values, and its times as ISO 8601."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.loads(value) if name in JSON_COLUMNS and isinstance(value, str) else value


def _matches(dataset: DatasetName, row: Row, conversation_id: UUID | None, end_user_id: str | None) -> bool:
    return _is_of_conversation(dataset, row, conversation_id) and (
        end_user_id is None or end_user_id in (row.get("end_user_id"), row.get("conversation_end_user_id"))
    )


def _is_of_conversation(dataset: DatasetName, row: Mapping[str, Any], conversation_id: UUID | None) -> bool:
    column = "id" if dataset is DatasetName.CONVERSATIONS else "conversation_id"
    return conversation_id is None or row.get(column) == str(conversation_id)
