"""Taking people, conversations, bots and organizations out of the archive, with what is left of former versions."""

import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from chatsphere.archive import erasing_queries as queries
from chatsphere.archive.archiving import keep
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.model import ArchiveFile, Row, bot_prefix, organization_prefix, subject
from chatsphere.archive.places import Places, file_of, holding
from chatsphere.archive.present_rows import PresentRows
from chatsphere.archive.removal import Change, Removal
from chatsphere.archive.writing import FileWriter, Written
from chatsphere.db.database import Database
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids

PAGE: Final = 100

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ArchiveEraser:
    """Erases from archives. `database` is the tenants'. Doing it again changes nothing, and goes on where it ended."""

    database: Database
    store: ObjectStore
    files: RowFiles
    clock: Clock
    ids: Ids

    @property
    def _places(self) -> Places:
        return Places(self.database, self.store, self.clock, self.ids)

    @property
    def _rows(self) -> PresentRows:
        return PresentRows(self.database, self._with_writer)

    def erase(
        self,
        organization_id: UUID,
        *,
        bot_id: UUID | None = None,
        conversation_ids: Collection[UUID] = (),
        end_user_id: str | None = None,
        user_id: UUID | None = None,
    ) -> int:
        """Return how many files were written anew without what is named, or deleted.

        With neither conversations nor an end user nor a user: everything of the organization, or of the bot. Else the
        rows of these conversations (of the bot's alone, where one is named), and of this end user; of a user (a member)
        rows stay, and name nobody. Of what was rewritten or deleted no version is left.

        Raises:
            PlaceTakenError: something that may hold these rows is being written; to be tried again.
            UnavailableError: a store does not answer, or still shows what was deleted; to be tried again.
        """
        removal = Removal.of(conversation_ids, end_user_id, user_id)
        self._places.discard(organization_id)
        if removal.is_everything:
            return self._erase_prefixes(organization_id, bot_id)
        erased = sum(self.rewrite(file, removal) for file in self.affected(organization_id, removal, bot_id=bot_id))
        return erased + self._places.finish_deleting(organization_id)

    def count(
        self,
        organization_id: UUID,
        *,
        bot_id: UUID | None = None,
        conversation_ids: Collection[UUID] = (),
        end_user_id: str | None = None,
        user_id: UUID | None = None,
    ) -> int:
        """Return how many rows there still are of what `erase` erases, and how many versions of objects that may hold
        such rows are still to be deleted. Of a whole organization or bot: versions of objects, and files by the
        manifest.
        """
        removal = Removal.of(conversation_ids, end_user_id, user_id)
        if removal.is_everything:
            return self._left(organization_id, bot_id)
        rows = sum(self.matching(file, removal) for file in self.affected(organization_id, removal, bot_id=bot_id))
        return rows + self.unfinished(organization_id, bot_id=bot_id)

    def tidy(self, organization_id: UUID) -> None:
        """Delete what dead writers left, and finish deletions that were begun.

        Raises:
            UnavailableError: as `erase`.
        """
        self._places.discard(organization_id)

    def unfinished(
        self, organization_id: UUID, *, bot_id: UUID | None = None, dataset: DatasetName | None = None
    ) -> int:
        """Return how many places may hold versions that the manifest does not show: they are being written, or whoever
        wrote died.
        """
        values = {"bot_id": bot_id, "dataset": None if dataset is None else dataset.value}
        with self.database.transaction(organization_id) as connection:
            row = connection.execute(queries.COUNT_UNFINISHED, values).fetchone()
        return int(row["number"]) if row else 0

    def _erase_prefixes(self, organization_id: UUID, bot_id: UUID | None) -> int:
        """Delete whatever is under the keys of an organization or bot, whether the manifest knows it or not."""
        with self.database.transaction(organization_id) as connection:
            values = {"bot_id": bot_id, "now": self.clock.now()}
            marked = connection.execute(queries.MARK_ALL, values).rowcount
        for prefix in _prefixes(organization_id, bot_id):
            self.store.delete_prefix(prefix)
        self._places.finish_deleting(organization_id)
        return marked

    def _left(self, organization_id: UUID, bot_id: UUID | None) -> int:
        with self.database.transaction(organization_id) as connection:
            row = connection.execute(queries.COUNT_ALL, {"bot_id": bot_id}).fetchone()
        versions = sum(self.store.count_versions(prefix) for prefix in _prefixes(organization_id, bot_id))
        return versions + (row["number"] if row else 0)

    def affected(
        self, organization_id: UUID, removal: Removal, *, bot_id: UUID | None = None, after: UUID | None = None
    ) -> Iterator[ArchiveFile]:
        """Yield the files that may hold such rows, behind one of them, in the order of their ids."""
        while True:
            values = {
                "bot_id": bot_id,
                "subjects": [subject(text) for text in removal.subjects],
                "datasets": [dataset.value for dataset in removal.datasets],
                "after": after,
                "limit": PAGE,
            }
            with self.database.transaction(organization_id) as connection:
                rows = connection.execute(queries.AFFECTED, values).fetchall()
            yield from map(file_of, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1]["id"]

    def read(self, file: ArchiveFile, take: Callable[[Row], Result]) -> list[Result]:
        """Return what `take` makes of each row of a file.

        Raises:
            ArchiveDamagedError: the file is not what was written: nobody can say what it holds.
            UnavailableError: the store does not answer.
        """
        return self._rows.use(file, lambda rows: [take(row) for row in rows])

    def matching(self, file: ArchiveFile, removal: Change) -> int:
        """Return how many rows of a file a change concerns.

        Raises:
            ArchiveDamagedError, UnavailableError: as `read`.
        """
        return self._rows.use(file, lambda rows: sum(removal.concerns(file.dataset, row) for row in rows))

    def rewrite(self, file: ArchiveFile, removal: Change) -> int:
        """Write a file without what is named, and leave no former version of it; 0 where nothing of it is in there.

        Raises:
            PlaceTakenError, UnavailableError: as `erase`.
        """
        if not self.matching(file, removal):
            return 0
        (claim,) = self._places.claim([file.place], tidy=True)
        present = next((found for found in claim.files if found.id == file.id and found.status == "complete"), None)
        written = self._without(present, removal) if present else Written([])
        with holding(self.database, [claim]) as connection:
            keep(connection, [written])
        self._places.remove_former(written.files)
        self._places.finish(written.emptied)
        self._places.release([claim])
        return len(written.files) + len(written.emptied)

    def _without(self, file: ArchiveFile, removal: Change) -> Written:
        def change(row: Row) -> Row | None:
            return removal.applied(file.dataset, row)

        changed = self._with_writer(lambda writer: writer.change(file, change))
        return Written([changed]) if changed else Written([], [file])

    def _with_writer(self, use: Callable[[FileWriter], Result]) -> Result:
        with tempfile.TemporaryDirectory(prefix="archive-") as folder:
            return use(FileWriter(self.files, self.store, self.clock, self.ids, Path(folder)))


def _prefixes(organization_id: UUID, bot_id: UUID | None) -> list[str]:
    if bot_id is None:
        return [organization_prefix(dataset, organization_id) for dataset in DatasetName]
    return [bot_prefix(dataset, organization_id, bot_id) for dataset in DatasetName]
