"""Moving and copying rows into the archive, so that each is in the database, or in one file that counts, or in both
for as long as nobody can say which.

What a crash leaves is in the bucket alone: the manifest does not name it, and it goes when the place is written next.
"""

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from chatsphere.archive import manifest_queries, row_queries
from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import ArchiveBatch, ArchiveFile, Place, Row
from chatsphere.archive.parts import About
from chatsphere.archive.places import Claim, Places, file_of, holding
from chatsphere.archive.spooling import Spool
from chatsphere.archive.writing import FileWriter, Written
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids

Marks = dict[str, tuple[Any, ...]]
"""What a row looked like, by dataset and id: another one as soon as it changed."""

TRIES: Final = 3


class ConversationUsedError(UnavailableError):
    """A conversation was used after it was found to be idle: what is to be moved has to be found out anew."""

    title = "The conversation is in use"


@dataclass(frozen=True, slots=True)
class Archiver:
    """Writes archives. `database` is the tenants'."""

    database: Database
    store: ObjectStore
    files: RowFiles
    clock: Clock
    ids: Ids

    @property
    def places(self) -> Places:
        """Where is written."""
        return Places(self.database, self.store, self.clock, self.ids)

    def move(
        self,
        batch: ArchiveBatch,
        *,
        run_id: UUID,
        part: int,
        delete: Callable[[Connection], object],
        archive_days: int | None = None,
    ) -> list[ArchiveFile]:
        """Put rows into files and have them deleted, in one transaction, once the files were read again from the
        bucket; return the files that hold them. Rows that are gone by now are passed over. The files leave the archive
        `archive_days` after they were last written, or never.

        `delete` deletes them, and may do more in its transaction; it is called exactly once, also where no row is left.
        It has the tenant's connection, and the rows are locked. `part` is told in the log only.

        Raises:
            ConversationUsedError: one of the conversations was used since `batch.idle_since`.
            PlaceTakenError: somebody else writes there.
            UnavailableError: bucket or database do not answer, or the rows are being changed again and again; nothing
                was deleted, and `discard_unfinished` removes what was written.
        """
        for _ in range(TRIES):
            with tempfile.TemporaryDirectory(prefix="archive-") as folder:
                spool = Spool(self.files, Path(folder))
                marks = self._take(batch, spool)
                moved = self._store(
                    batch.organization_id,
                    batch.bot_id,
                    spool,
                    self._writer(folder),
                    self._about(archive_days, run_id=run_id),
                    partial(self._delete_if_unchanged, batch, marks, delete),
                )
            if moved is not None:
                return moved
        raise UnavailableError(f"The rows of part {part} are being changed.")

    def copy(
        self,
        rows: Iterable[Row],
        *,
        organization_id: UUID,
        bot_id: UUID | None,
        dataset: DatasetName,
        source: str,
        archive_days: int | None = None,
    ) -> list[ArchiveFile]:
        """Put rows into files, unless those of the same `source` are there already; return the files that hold them.

        `rows` are as `Dataset.select` gives them and all of this organization and bot; they are read once, before
        anything is written. Memory stays bounded whatever their number; 50,000 rows take some ten megabytes of disk.

        Raises:
            PlaceTakenError: somebody else writes there.
            UnavailableError: bucket or database do not answer; to be done again.
        """
        values = {"bot_id": bot_id, "dataset": dataset.value, "source": source}
        with self.database.transaction(organization_id) as connection:
            copied = [file_of(row) for row in connection.execute(manifest_queries.COPIED, values)]
        if copied:
            return copied
        with tempfile.TemporaryDirectory(prefix="archive-") as folder:
            spool = Spool(self.files, Path(folder))
            spool.add(dataset, rows)
            writer, about = self._writer(folder), self._about(archive_days, source=source)
            return self._store(organization_id, bot_id, spool, writer, about, lambda _: True) or []

    def read(self, file: ArchiveFile) -> Iterator[Row]:
        """Yield the rows of a file that counts.

        Raises:
            UnavailableError: the bucket does not answer, or the file is not what was written.
        """
        with tempfile.TemporaryDirectory(prefix="archive-") as folder:
            yield from self._writer(folder).read(file)

    def discard_unfinished(self, organization_id: UUID, run_id: UUID | None = None) -> int:
        """Delete what dead writers of a tenant left in the bucket, and this run's former tries; return at how many
        places. The rows of it are in the database still.

        Raises:
            UnavailableError: the bucket does not answer, or shows what was deleted.
        """
        return self.places.discard(organization_id, run_id)

    def _take(self, batch: ArchiveBatch, spool: Spool) -> Marks:
        """Read the rows, and what they look like, in one transaction."""
        marks: Marks = {}
        with self.database.transaction(batch.organization_id) as connection:
            # The counts first: what hangs on a conversation by the time that its row is read counts as added.
            for hanging in _hanging(connection, batch):
                marks[f"hanging {hanging['id']}"] = (hanging["messages"], hanging["feedback"])
            for dataset, ids in _ids(batch):
                query = DATASETS[dataset].select(mark=True) + sql.SQL(row_queries.OF_BATCH[dataset])
                spool.add(dataset, _marked(dataset, connection.execute(query, _values(batch, ids)), marks, batch))
        return marks

    def _store(
        self,
        organization_id: UUID,
        bot_id: UUID | None,
        spool: Spool,
        writer: FileWriter,
        about: About,
        settle: Callable[[Connection], bool],
    ) -> list[ArchiveFile] | None:
        """Write what is spooled; None where `settle` finds that it is not to count."""
        keys = spool.keys()
        if not keys:
            with self.database.transaction(organization_id) as connection:
                return [] if settle(connection) else None
        claims = self.places.claim((Place(organization_id, bot_id, *key) for key in keys), run_id=about.run_id)
        written = [writer.add(claim.place, claim.files, partial(spool.rows, _key(claim)), about) for claim in claims]
        with holding(self.database, claims) as connection:
            counts = settle(connection)
            if counts:
                keep(connection, written)
        for result in written:
            if counts:
                self.places.remove_former(result.files)
                self.places.finish(result.emptied)
            else:
                self.places.withdraw(result.files)
        self.places.release(claims)
        return [file for result in written for file in result.files if file.added] if counts else None

    def _delete_if_unchanged(
        self, batch: ArchiveBatch, marks: Marks, delete: Callable[[Connection], object], connection: Connection
    ) -> bool:
        found: Marks = {}
        for dataset, ids in _ids(batch):
            for row in connection.execute(row_queries.LOCK[dataset], _values(batch, ids)):
                found[f"{dataset} {row['id']}"] = (row["mark"],)
        for hanging in _hanging(connection, batch):
            found[f"hanging {hanging['id']}"] = (hanging["messages"], hanging["feedback"])
        if found != marks:
            return False
        delete(connection)
        return True

    def _about(self, archive_days: int | None, *, run_id: UUID | None = None, source: str | None = None) -> About:
        ends = None if archive_days is None else self.clock.now() + timedelta(days=archive_days)
        return About(ends, run_id, source)

    def _writer(self, folder: str) -> FileWriter:
        return FileWriter(self.files, self.store, self.clock, self.ids, Path(folder))


def keep(connection: Connection, written: Iterable[Written]) -> None:
    """Let what was written count, in the caller's transaction.

    Raises:
        UnavailableError: a file that was to be replaced is going, or gone.
    """
    for result in written:
        for file in result.files:
            replaces = file.former_version_id is not None
            statement = manifest_queries.REPLACE_FILE if replaces else manifest_queries.BEGIN_FILE
            if connection.execute(statement, _row(file)).fetchone() is None:
                raise UnavailableError("A file of the archive was deleted meanwhile.")
        for file in result.emptied:
            connection.execute(manifest_queries.MARK_DELETING, {"ids": [file.id], "now": file.changed_at})


def _row(file: ArchiveFile) -> dict[str, Any]:
    fields = {name: getattr(file, name) for name in ArchiveFile.__dataclass_fields__}
    return fields | {"dataset": file.dataset.value, "subjects": sorted(file.subjects), "sources": list(file.sources)}


def _key(claim: Claim) -> tuple[DatasetName, date]:
    return claim.place.dataset, claim.place.month


def _ids(batch: ArchiveBatch) -> Iterator[tuple[DatasetName, Sequence[UUID]]]:
    wanted = {
        DatasetName.CONVERSATIONS: batch.conversations,
        DatasetName.MESSAGES: batch.messages,
        DatasetName.FEEDBACK: batch.feedback,
    }
    return ((dataset, ids) for dataset, ids in wanted.items() if ids)


def _hanging(connection: Connection, batch: ArchiveBatch) -> list[dict[str, Any]]:
    if not batch.conversations:
        return []
    return connection.execute(row_queries.HANGING, _values(batch, batch.conversations)).fetchall()


def _values(batch: ArchiveBatch, ids: Collection[UUID]) -> dict[str, Any]:
    return {"bot_id": batch.bot_id, "ids": list(ids), "since": batch.since, "until": batch.until}


def _marked(dataset: DatasetName, rows: Iterable[dict[str, Any]], marks: Marks, batch: ArchiveBatch) -> Iterator[Row]:
    for row in rows:
        if dataset is DatasetName.CONVERSATIONS and batch.idle_since and row["updated_at"] > batch.idle_since:
            raise ConversationUsedError
        marks[f"{dataset} {row['id']}"] = (row.pop("mark"),)
        yield row
