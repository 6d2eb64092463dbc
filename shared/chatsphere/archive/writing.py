"""Rows into files of a place: written, uploaded, downloaded again and compared. Nothing of it counts yet."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from uuid import UUID

from chatsphere.archive.checked import ArchiveDamagedError, CheckedStore, sha256_of
from chatsphere.archive.datasets import DATASETS, SCHEMA_VERSION
from chatsphere.archive.model import ArchiveFile, Place, Row
from chatsphere.archive.parts import About, RowParts, Seen
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids

Change = Callable[[Row], Row | None]
"""Returns a row as it is to be kept, or None where it is to go."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write left in the bucket: files as they are to count, and files that nothing is left of."""

    files: Sequence[ArchiveFile]
    emptied: Sequence[ArchiveFile] = ()


@dataclass(frozen=True, slots=True)
class FileWriter:
    """Writes files at claimed places; one of them at a time is in `folder`."""

    files: RowFiles
    store: ObjectStore
    clock: Clock
    ids: Ids
    folder: Path

    @property
    def _bucket(self) -> CheckedStore:
        return CheckedStore(self.files, self.store, self.ids, self.folder)

    def add(
        self, place: Place, present: Sequence[ArchiveFile], rows: Callable[[], Iterable[Row]], about: About
    ) -> Written:
        """Write rows behind those of the place's small file, or into new ones. Rows that are in a file which rows came
        back from leave that file: they may have changed since.

        Raises:
            UnavailableError: the bucket does not answer, or shows something else than was put there.
        """
        complete = [file for file in present if file.status == "complete"]
        again = self._returned(complete, rows)
        small, path = self._small(complete)
        others = [file for file in complete if file.id in again and file is not small]
        results = [(file, self.change(file, _without(again[file.id]))) for file in others]
        new = list(self._cut(place, small, self._former(small, path, again), rows(), about))
        return Written(
            [*(changed for _, changed in results if changed), *new],
            [file for file, changed in results if changed is None],
        )

    def change(self, file: ArchiveFile, change: Change) -> ArchiveFile | None:
        """Write another version of a file, each row as `change` returns it; None, and nothing written: none is left."""
        kept = (kept for row in self.read(file) if (kept := change(row)) is not None)
        rows = RowParts(kept)
        if not rows.more:
            return None
        about = About(file.expires_at, file.run_id)
        return replace(self._write(file.place, file, rows.part(free=file.rows), about, rows=0), added=0)

    def read(self, file: ArchiveFile) -> Iterator[Row]:
        """Yield the rows of a file, all of its dataset's columns, once it is known to be what was written.

        Raises:
            ArchiveDamagedError: it is not, or it is gone.
        """
        return self._rows(file, self._bucket.fetch(file))

    def _rows(self, file: ArchiveFile, path: Path) -> Iterator[Row]:
        try:
            names = [column.name for column in DATASETS[file.dataset].columns]
            for row in self.files.read(path):
                yield {name: row.get(name) for name in names}
        finally:
            path.unlink(missing_ok=True)

    def _small(self, complete: Sequence[ArchiveFile]) -> tuple[ArchiveFile | None, Path | None]:
        """Return the file that rows are put to, downloaded. One that is damaged is left alone: what is archived next
        need not wait for somebody to look.
        """
        for file in reversed(complete):
            if file.takes_more(self.clock.now()):
                try:
                    return file, self._bucket.fetch(file)
                except ArchiveDamagedError:
                    _tell_damaged(file)
        return None, None

    def _former(
        self, small: ArchiveFile | None, path: Path | None, again: Mapping[UUID, frozenset[str]]
    ) -> tuple[int, Iterator[Row]]:
        """Return how many rows of the small file stay in it, and the rows."""
        if small is None or path is None:
            return 0, iter(())
        gone = again.get(small.id, frozenset())
        return small.rows - len(gone), (row for row in self._rows(small, path) if row["id"] not in gone)

    def _returned(
        self, complete: Sequence[ArchiveFile], rows: Callable[[], Iterable[Row]]
    ) -> Mapping[UUID, frozenset[str]]:
        """Return which of the rows are in files already, by file. A damaged one holds nothing that anybody reads."""
        restored = [file for file in complete if file.restored_at is not None]
        if not restored:
            return {}
        ids = {row["id"] for row in rows()}
        found = {file.id: self._among(file, ids) for file in restored}
        return {file: rows_there for file, rows_there in found.items() if rows_there}

    def _among(self, file: ArchiveFile, ids: set[str]) -> frozenset[str]:
        try:
            return frozenset(ids.intersection(row["id"] for row in self.read(file)))
        except ArchiveDamagedError:
            _tell_damaged(file)
            return frozenset()

    def _cut(
        self,
        place: Place,
        small: ArchiveFile | None,
        former: tuple[int, Iterator[Row]],
        new: Iterable[Row],
        about: About,
    ) -> Iterator[ArchiveFile]:
        free, stay = former
        rows = RowParts(chain(stay, new))
        while rows.more:
            yield self._write(place, small, rows.part(free=free), about, rows=free)
            small, free = None, 0

    def _write(
        self, place: Place, former: ArchiveFile | None, part: Iterator[Row], about: About, *, rows: int
    ) -> ArchiveFile:
        now, file_id = self.clock.now(), former.id if former else self.ids.new()
        key = former.key if former else f"{place.prefix}{file_id}.parquet"
        seen, path = Seen(place), self.folder / f"{file_id}.parquet"
        try:
            self.files.write(path, DATASETS[place.dataset].columns, seen.watch(part), metadata=_metadata(place))
            size, digest = path.stat().st_size, sha256_of(path)
            version_id = self._bucket.put(key, path, digest, seen.ids)
        finally:
            path.unlink(missing_ok=True)
        fresh = ArchiveFile(
            id=file_id,
            organization_id=place.organization_id,
            bot_id=place.bot_id,
            dataset=place.dataset,
            month=place.month,
            key=key,
            version_id=version_id,
            status="complete",
            schema_version=SCHEMA_VERSION,
            rows=len(seen.ids),
            bytes=size,
            sha256=digest,
            first_created_at=seen.first,
            last_created_at=seen.last,
            archived_at=former.archived_at if former else now,
            changed_at=now,
            subjects=frozenset(seen.subjects),
            added=len(seen.ids) - rows,
            former_version_id=former.version_id if former else None,
        )
        return replace(
            fresh,
            expires_at=about.expires_at,
            run_id=about.run_id,
            restored_at=former.restored_at if former else None,
            sources=[*(former.sources if former else ()), *([about.source] if about.source else [])],
        )


def _metadata(place: Place) -> dict[str, str]:
    return {
        "chatsphere.schema_version": str(SCHEMA_VERSION),
        "chatsphere.dataset": place.dataset,
        "chatsphere.organization_id": str(place.organization_id),
        "chatsphere.bot_id": str(place.bot_id or ""),
        "chatsphere.month": f"{place.month:%Y-%m}",
    }


def _tell_damaged(file: ArchiveFile) -> None:
    logger.error("file of the archive is damaged", file_id=str(file.id), bucket_key=file.key)


def _without(ids: Collection[str]) -> Change:
    return lambda row: None if row["id"] in ids else row
