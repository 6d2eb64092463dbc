"""Rows of one archived file, put back into their table page by page."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from chatsphere.archive import restore_queries as queries
from chatsphere.archive.checked import ArchiveDamagedError
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.model import ArchiveFile, Row, subject
from chatsphere.archive.places import file_of
from chatsphere.archive.restores import Restore
from chatsphere.archive.writing import FileWriter
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError

PAGE_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class FileRestore:
    """Brings back what is wanted of one file."""

    database: Database
    restore: Restore
    file: ArchiveFile
    writer: FileWriter
    now: datetime

    def run(self) -> None:
        """Bring the rows back that are not there, with the conversations that they belong to."""
        looked_at = 0
        for page in _pages(row for row in self.writer.read(self.file) if self._is_wanted(row)):
            looked_at += len(page)
            if self.file.dataset is not DatasetName.CONVERSATIONS:
                self._bring_conversations({row["conversation_id"] for row in page})
            self._put(self.file, page)
        values = {"id": self.restore.id, "file_id": self.file.id, "rows": looked_at}
        with self.database.transaction(self.restore.organization_id) as connection:
            connection.execute(queries.FILE_DONE, values)

    def _is_wanted(self, row: Row) -> bool:
        wanted = self.restore.conversation_id
        column = "id" if self.file.dataset is DatasetName.CONVERSATIONS else "conversation_id"
        return wanted is None or row[column] == str(wanted)

    def _bring_conversations(self, ids: Collection[str]) -> None:
        """Bring back the conversations that are in the archive only; of others nothing can be attached to anything."""
        with self.database.transaction(self.restore.organization_id) as connection:
            missing = {row["id"] for row in connection.execute(queries.MISSING, {"ids": list(ids)})}
            hashes = {"bot_id": self.file.bot_id, "subjects": [subject(one) for one in missing]}
            files = [file_of(row) for row in connection.execute(queries.CONVERSATION_FILES, hashes)] if missing else []
        for file in files:
            for page in _pages(row for row in self.writer.read(file) if row["id"] in missing):
                self._put(file, page)

    def _put(self, file: ArchiveFile, page: Sequence[Row]) -> None:
        """Put a page of a file's rows back, in one transaction.

        Raises:
            ArchiveDamagedError: the file is another one by now: somebody may have been erased from it.
        """
        dataset, own = file.dataset, "id" if file.dataset is DatasetName.CONVERSATIONS else "conversation_id"
        values = {
            "id": self.restore.id,
            "bot_id": self.file.bot_id,
            "kept_until": self.restore.kept_until,
            "now": self.now,
            "dataset": dataset.value,
            "file_id": file.id,
            "version_id": file.version_id,
            "ids": sorted({row[own] for row in page}),
        }
        with self.database.transaction(self.restore.organization_id) as connection:
            if connection.execute(queries.BOT_IS_THERE, values).fetchone() is None:
                return
            # Before any row: what is archived again from here on leaves this file.
            if connection.execute(queries.MARK_RESTORED, values).fetchone() is None:
                raise ArchiveDamagedError
            connection.execute(queries.TELL_NOBODY)
            connection.execute(queries.KEEP_CONVERSATIONS, values)
            rows = self._insert(connection, dataset, values | {"rows": _recordset(page)})
            connection.execute(queries.COUNT, values | {"rows": rows})

    def _insert(self, connection: Connection, dataset: DatasetName, values: Mapping[str, Any]) -> int:
        return connection.execute(queries.INSERT[dataset], values).rowcount


def _pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while page := list(islice(rows, PAGE_ROWS)):
        yield page


def _recordset(rows: Sequence[Row]) -> str:
    return json.dumps([dict(row) for row in rows], default=_iso)


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise UnavailableError("A file of the archive holds what no table does.")
