"""Reading what an archived file holds by now: files are written anew meanwhile, and somebody may take one away."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from chatsphere.archive.checked import ArchiveGoneError
from chatsphere.archive.manifest import get_file
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.archive.writing import FileWriter
from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError
from chatsphere.observability import logger

Result = TypeVar("Result")


class WithWriter(Protocol):
    """Calls with a writer that has a folder as long as the call lasts."""

    def __call__(self, use: Callable[[FileWriter], Result]) -> Result:
        """Return what `use` returns."""
        ...


@dataclass(frozen=True, slots=True)
class PresentRows:
    """Rows of files as they are by now. `database` is the tenants'."""

    database: Database
    with_writer: WithWriter

    def use(self, file: ArchiveFile, use: Callable[[Iterable[Row]], Result]) -> Result:
        """Return what `use` makes of the rows of the version that counts; it may be called again. A file that somebody
        took out of the bucket holds nothing of anybody: it keeps no erasure from ending.

        Raises:
            ArchiveDamagedError: the file is not what was written.
            UnavailableError: the store does not answer.
        """
        while True:
            try:
                return self.with_writer(partial(_of_rows, file, use))
            except ArchiveGoneError:
                present = self._present(file)
                if present is None or present.version_id == file.version_id:
                    logger.error("file of the archive is gone", file_id=str(file.id), bucket_key=file.key)
                    return use(())
                file = present

    def _present(self, file: ArchiveFile) -> ArchiveFile | None:
        with self.database.transaction(file.organization_id) as connection, suppress(NotFoundError):
            return get_file(connection, file.id)
        return None


def _of_rows(file: ArchiveFile, use: Callable[[Iterable[Row]], Result], writer: FileWriter) -> Result:
    return use(writer.read(file))
