"""Objects of the archive, compared with what was written: after they were put, and before anything is read."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatsphere.archive.model import ArchiveFile
from chatsphere.errors import ConfigurationError, NotFoundError, UnavailableError
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Ids

CONTENT_TYPE: Final = "application/vnd.apache.parquet"
READ_LIMIT: Final = 1024 * 1024 * 1024
"""No object of ours is larger."""


class ArchiveDamagedError(UnavailableError):
    """An object of the archive is not what was written there, or is gone."""

    code = "archive_damaged"
    title = "A file of the archive is damaged"


class ArchiveGoneError(ArchiveDamagedError):
    """The version that was read of is not in the bucket: it was written anew meanwhile, or somebody took it away."""


@dataclass(frozen=True, slots=True)
class CheckedStore:
    """The archive's bucket; copies are in `folder`."""

    files: RowFiles
    store: ObjectStore
    ids: Ids
    folder: Path

    def fetch(self, file: ArchiveFile) -> Path:
        """Download the version that counts.

        Raises:
            ArchiveGoneError: it is not there.
            ArchiveDamagedError: it is not what was written.
        """
        path = self.folder / f"{self.ids.new()}.parquet"
        try:
            self.store.download(file.key, file.version_id, path, max_bytes=READ_LIMIT)
        except NotFoundError:
            raise ArchiveGoneError from None
        if sha256_of(path) != file.sha256:
            path.unlink()
            raise ArchiveDamagedError
        return path

    def put(self, key: str, path: Path, digest: str, row_ids: Sequence[str]) -> str:
        """Put a file, and read it again from the bucket: what is deleted next is deleted for this copy's sake. Return
        its version.

        Raises:
            UnavailableError: the bucket does not hold what was put there, or does not answer.
            ConfigurationError: it keeps no versions.
        """
        stored = self.store.put(key, path.read_bytes(), content_type=CONTENT_TYPE, metadata={"sha256": digest})
        if stored.version_id is None:
            raise ConfigurationError("The archive's bucket keeps no versions: switch versioning on.")
        copy = path.with_suffix(".copy")
        try:
            self.store.download(key, stored.version_id, copy, max_bytes=READ_LIMIT)
            if sha256_of(copy) != digest or [row["id"] for row in self.files.read(copy, {"id"})] != row_ids:
                raise UnavailableError("The archive does not hold what was put there.")
        except NotFoundError:
            raise UnavailableError("The archive does not hold what was put there.") from None
        finally:
            copy.unlink(missing_ok=True)
        return stored.version_id


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
