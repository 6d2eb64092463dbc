"""A tenant with conversations, the archive beside it, and what to compare the two by."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.adapters.parquet import ParquetFiles
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.archive.archiving import Archiver
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.expiring import ArchiveExpirer
from chatsphere.archive.model import ArchiveBatch, ArchiveFile
from chatsphere.archive.places import file_of
from chatsphere.archive.restores import Restore, RestoreMessage, Wanted, begin_restore, get_restore
from chatsphere.archive.restoring import RestoreJob
from chatsphere.db.database import Connection, Database
from tests.conftest import Tenant
from tests.fakes import FixedClock, InMemoryObjectStore, InMemoryQueue

START = datetime(2026, 1, 10, tzinfo=UTC)
HOSTILE = 'Ünïcode 😀 \u202e "quoted" \\ud800 \x01\r\n\t' + "\U0010ffff"
WIDE = timedelta(days=3650)


@dataclass
class ArchiveWorld:
    """One tenant. `database`, `store` may be wrapped by a tripwire."""

    tenant: Tenant
    database: Any
    ids: UuidV7Ids
    clock: FixedClock = field(default_factory=FixedClock)
    store: Any = None
    queue: Any = field(default_factory=InMemoryQueue)
    files: ParquetFiles = field(default_factory=ParquetFiles)

    def __post_init__(self) -> None:
        self.store = self.store or InMemoryObjectStore(self.clock)

    @property
    def archiver(self) -> Archiver:
        return Archiver(self.database, self.store, self.files, self.clock, self.ids)

    @property
    def restores(self) -> RestoreJob:
        return RestoreJob(self.database, self.store, self.files, self.queue, self.clock, self.ids)

    def expirer(self, maintainer: Database) -> ArchiveExpirer:
        return ArchiveExpirer(maintainer, self.database, self.store, self.files, self.clock, self.ids)

    @property
    def eraser(self) -> ArchiveEraser:
        return ArchiveEraser(self.database, self.store, self.files, self.clock, self.ids)

    # ------------------------------------------------------------------------------------------------------- rows

    def talk(
        self,
        end_user: str | None = "anna",
        *,
        messages: Sequence[str] = ("Question", "Answer"),
        at: datetime = START,
        rated: bool = False,
    ) -> ArchiveBatch:
        """Keep a conversation; return the batch that names all of it."""
        conversation, known = self.ids.new(), [self.ids.new() for _ in messages]
        feedback = [self.ids.new()] if rated else []
        with self.database.transaction(self.tenant.organization_id) as connection:
            connection.execute(
                "INSERT INTO conversations (id, organization_id, bot_id, end_user_id, title, metadata, created_at,"
                " updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (conversation, *self._owner, end_user, HOSTILE, Jsonb({"n": 10**30, "text": HOSTILE}), at, at),
            )
            for number, (message, content) in enumerate(zip(known, messages, strict=True)):
                connection.execute(
                    "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at,"
                    " answerable, cost_microdollars, citations) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        message,
                        *self._owner,
                        conversation,
                        "assistant" if number % 2 else "user",
                        content,
                        at + timedelta(microseconds=number),
                        (None, True, False)[number % 3],
                        -(2**63) if number % 2 else 2**63 - 1,
                        Jsonb([{"quote": HOSTILE}]),
                    ),
                )
            for rating in feedback:
                connection.execute(
                    "INSERT INTO conversation_feedback (id, organization_id, bot_id, conversation_id, message_id,"
                    " message_created_at, end_user_id, rating, comment, created_at, updated_at)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, 5, %s, %s, %s)",
                    (rating, *self._owner, conversation, known[-1], at, end_user, HOSTILE, at, at),
                )
        return self.batch([conversation], known, feedback)

    def batch(
        self, conversations: Sequence[UUID], messages: Sequence[UUID] = (), feedback: Sequence[UUID] = ()
    ) -> ArchiveBatch:
        return ArchiveBatch(*self._owner, START - WIDE, START + WIDE, conversations, messages, feedback)

    @property
    def _owner(self) -> tuple[UUID, UUID]:
        return self.tenant.organization_id, self.tenant.bot_id

    def move(self, *batches: ArchiveBatch, run_id: UUID | None = None, days: int | None = None) -> list[ArchiveFile]:
        batch = merged(batches)
        return self.archiver.move(
            batch, run_id=run_id or self.ids.new(), part=0, delete=lambda c: delete_rows(c, batch), archive_days=days
        )

    def in_database(self) -> dict[str, list[dict[str, Any]]]:
        """The bot's rows, as the archive would hold them."""
        found = {}
        with self.database.transaction(self.tenant.organization_id) as connection:
            for name in (DatasetName.CONVERSATIONS, DatasetName.MESSAGES, DatasetName.FEEDBACK):
                rows = connection.execute(DATASETS[name].select(), {}).fetchall()
                found[name.value] = sorted(rows, key=lambda row: row["id"])
        return found

    def ask_for(self, **wanted: Any) -> RestoreMessage:
        """Begin a restore; return its message."""
        with self.database.transaction(self.tenant.organization_id) as connection:
            restore = begin_restore(connection, Wanted(**wanted), requested_by=None, ids=self.ids, now=self.clock.now())
        return RestoreMessage(organization_id=self.tenant.organization_id, restore_id=restore.id)

    def restore_of(self, message: RestoreMessage) -> Restore:
        with self.database.transaction(message.organization_id) as connection:
            return get_restore(connection, message.restore_id)

    # ---------------------------------------------------------------------------------------------------- archive

    def manifest(self) -> list[ArchiveFile]:
        with self.database.transaction(self.tenant.organization_id) as connection:
            return [file_of(row) for row in connection.execute("SELECT * FROM archive_files ORDER BY id")]

    def unfinished(self) -> int:
        with self.database.transaction(self.tenant.organization_id) as connection:
            row = connection.execute("SELECT count(*) AS number FROM archive_writes").fetchone()
        assert row is not None
        return int(row["number"])

    def archived(self) -> dict[str, list[dict[str, Any]]]:
        """Rows of the files that count, by dataset. Each is there once, and so are its versions."""
        found: dict[str, list[dict[str, Any]]] = {"conversations": [], "messages": [], "feedback": []}
        for file in self.manifest():
            if file.status == "complete":
                found.setdefault(file.dataset.value, []).extend(self.rows_of(file))
        return {name: sorted(rows, key=lambda row: row["id"]) for name, rows in found.items()}

    def rows_of(self, file: ArchiveFile) -> list[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x")
            self.store.download(file.key, file.version_id, path, max_bytes=10**9)
            return list(self.files.read(path))

    def leftovers(self) -> list[str]:
        """Keys with anything but the one version that counts."""
        counting = {file.key: [file.version_id] for file in self.manifest() if file.status == "complete"}
        stored = self.store.saved()
        return [key for key, found in stored.items() if found and [v.id for v in found] != counting.get(key)]


def merged(batches: Sequence[ArchiveBatch]) -> ArchiveBatch:
    """Return one batch of all of them."""
    return replace(
        batches[0],
        conversations=[one for batch in batches for one in batch.conversations],
        messages=[one for batch in batches for one in batch.messages],
        feedback=[one for batch in batches for one in batch.feedback],
    )


def delete_rows(connection: Connection, batch: ArchiveBatch) -> None:
    for table, ids in (
        ("conversation_feedback", batch.feedback),
        ("messages", batch.messages),
        ("conversations", batch.conversations),
    ):
        connection.execute(f"DELETE FROM {table} WHERE id = ANY (%s)", (list(ids),))
