"""Writing at a place of the archive: one writer at a time, and what a dead one left is removed before the next.

The manifest names the version of each object that counts, so that whatever else is in the bucket is known for a
leftover. A file is replaced by another version of the same object: whoever reads the bucket with tools of analysis sees
the former or the new one, never both and never neither.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.archive import manifest_queries as queries
from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.model import WRITE_LEASE, ArchiveFile, Place
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.ports.objects import ObjectStore, ObjectVersion
from chatsphere.ports.system import Clock, Ids

AT_ONCE: Final = 100


class PlaceTakenError(UnavailableError):
    """Somebody else is writing into files of the same bot, dataset and month; to be tried again."""

    title = "The archive is being written"


@dataclass(frozen=True, slots=True)
class Claim:
    """A place that is ours, with the files that are there."""

    id: UUID
    place: Place
    files: Sequence[ArchiveFile]


@dataclass(frozen=True, slots=True)
class Places:
    """Hands out places to writers and tidies them up."""

    database: Database
    store: ObjectStore
    clock: Clock
    ids: Ids

    def claim(
        self, places: Iterable[Place], *, run_id: UUID | None = None, former: UUID | None = None, tidy: bool = False
    ) -> list[Claim]:
        """Take places, all or none; also one that the claim `former` has. `tidy`: with whatever the manifest does not
        name deleted; where another writer died this is always so.

        Raises:
            PlaceTakenError: somebody else is writing at one of them.
        """
        now, claims, left_over = self.clock.now(), [], []
        # In one order for all, or two writers could wait for each other.
        wanted = sorted(places, key=lambda place: place.prefix)
        with self.database.transaction(wanted[0].organization_id) as connection:
            for place in wanted:
                values = _values(place) | {"id": self.ids.new(), "run_id": run_id, "now": now, "former": former}
                taken = connection.execute(queries.CLAIM, values | {"lease_expires_at": now + WRITE_LEASE}).fetchone()
                if taken is None:
                    raise PlaceTakenError
                claims.append(Claim(values["id"], place, files_at(connection, place)))
                left_over += [place] if tidy or taken["taken_over"] else []
        for place in left_over:
            self._tidy(place)
        return claims

    def _tidy(self, place: Place) -> None:
        """Delete whatever the manifest does not name at a place that was claimed a moment ago: nobody else puts
        anything there, and who died puts nothing any more.
        """
        with self.database.transaction(place.organization_id) as connection:
            counting = {file.key: file for file in files_at(connection, place)}
        for key in list(self.store.keys(place.prefix)):
            file = counting.get(key)
            self._remove(key, but=file.version_id if file is not None and file.status == "complete" else None)
        self.finish([file for file in counting.values() if file.status == "deleting"])

    def remove_former(self, files: Iterable[ArchiveFile]) -> None:
        """Delete the versions that counted before these."""
        for file in files:
            if file.former_version_id is not None:
                self._remove(file.key, only=file.former_version_id)

    def withdraw(self, files: Iterable[ArchiveFile]) -> None:
        """Delete versions that were put and are not to count."""
        for file in files:
            self._remove(file.key, only=file.version_id)

    def _remove(self, key: str, *, only: str | None = None, but: str | None = None) -> None:
        """Delete the version of a key that is named, or all but one, or all; and look again."""

        def wanted() -> list[ObjectVersion]:
            return [v for v in self.store.versions(key) if (only is None or v.id == only) and v.id != but]

        found = wanted()
        if found:
            self.store.delete_versions(key, found)
            if wanted():
                raise UnavailableError("The archive still shows what was deleted.")

    def finish(self, deleting: Sequence[ArchiveFile]) -> None:
        """Delete the objects of files that are marked for it, look again, and forget the files."""
        for file in deleting:
            self._remove(file.key)
        if deleting:
            with self.database.transaction(deleting[0].organization_id) as connection:
                connection.execute(queries.FORGET_FILE, {"ids": [file.id for file in deleting]})

    def release(self, claims: Sequence[Claim]) -> None:
        """Let others write."""
        with self.database.transaction(claims[0].place.organization_id) as connection:
            connection.execute(queries.RELEASE, {"ids": [claim.id for claim in claims]})

    def discard(self, organization_id: UUID, run_id: UUID | None = None) -> int:
        """Remove what dead writers of a tenant left, and what is left of this run's former tries; finish deletions that
        were begun. Return how many places were tidied.
        """
        places, values = 0, {"now": self.clock.now(), "run_id": run_id, "limit": AT_ONCE}
        while True:
            with self.database.transaction(organization_id) as connection:
                found = connection.execute(queries.UNFINISHED, values).fetchall()
            for row in found:
                place = Place(organization_id, row["bot_id"], DatasetName(row["dataset"]), row["month"])
                # Somebody else may have taken it meanwhile, and tidied it.
                with suppress(PlaceTakenError):
                    self.release(self.claim([place], former=row["id"]))
            places += len(found)
            if len(found) < AT_ONCE:
                self.finish_deleting(organization_id)
                return places

    def finish_deleting(self, organization_id: UUID) -> int:
        """Finish what was begun to be deleted; return how many files that were."""
        finished = 0
        while True:
            with self.database.transaction(organization_id) as connection:
                rows = connection.execute(queries.DELETING, {"limit": AT_ONCE}).fetchall()
            self.finish([file_of(row) for row in rows])
            finished += len(rows)
            if len(rows) < AT_ONCE:
                return finished


@contextmanager
def holding(database: Database, claims: Sequence[Claim]) -> Iterator[Connection]:
    """Run one transaction in which the claims cannot be taken over.

    Raises:
        PlaceTakenError: one of them was, for it took too long.
    """
    with database.transaction(claims[0].place.organization_id) as connection:
        held = connection.execute(queries.HOLD, {"ids": [claim.id for claim in claims]}).fetchall()
        if len(held) < len(claims):
            raise PlaceTakenError
        yield connection


def files_at(connection: Connection, place: Place) -> list[ArchiveFile]:
    """Return the files of a place in the order in which they were begun."""
    return [file_of(row) for row in connection.execute(queries.FILES_OF_PLACE, _values(place))]


def file_of(row: dict[str, Any]) -> ArchiveFile:
    """Return a row of the manifest."""
    typed = {"dataset": DatasetName(row["dataset"]), "subjects": frozenset(row.get("subjects", ()))}
    return ArchiveFile(**{**row, **typed})


def _values(place: Place) -> dict[str, Any]:
    return {"bot_id": place.bot_id, "dataset": place.dataset.value, "month": place.month}
