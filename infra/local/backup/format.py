"""The file of a backup: a tar, packed by gzip, that ends with the SHA-256 of each of its members.

    postgres.dump               the database, in pg_dump's custom format
    objects/…, archive/…        every version of every object, as the mirrors hold them
    home/…                      keys and accounts that the home needs
    checksums                   `<SHA-256>  <name>`, one line a member above, in the order of the file
    manifest.json               what the backup is of, and the SHA-256 of `checksums`

It is written and read from beginning to end: of any size, it takes the memory of one block.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Final, Self

from infra.local.backup.errors import DamagedBackupError, NewerBackupError

FORMAT: Final = "chatsphere-backup"
VERSION: Final = 1

DUMP: Final = "postgres.dump"
HOME: Final = "home"
CHECKSUMS: Final = "checksums"
MANIFEST: Final = "manifest.json"
MIRRORS: Final = ("objects", "archive")

PARTIAL: Final = ".partial"
"""Behind the name of a backup that is being written; whoever writes it holds it locked."""

HOME_FILES: Final = ("secrets.json", "token_keys.json", "demo.json")
"""What of the home is in a backup beside its data. Ports, logs and mail are not."""

BLOCK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `schema_revision` is the database's; `counts` are rows and objects; `roles` are those that
    the database's grants name.
    """

    made_at: str
    release: str
    schema_revision: str
    postgres: str
    counts: dict[str, int]
    roles: list[str] = field(default_factory=list)
    checksums_sha256: str = ""
    format: str = FORMAT
    version: int = VERSION

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read it.

        Raises:
            DamagedBackupError: it is none.
            NewerBackupError: it is of a later release's format.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values["format"] != FORMAT:
                raise DamagedBackupError("the file is no backup of ChatSphere")
            if values["version"] > VERSION:
                raise NewerBackupError(f"the backup is of format {values['version']}; this release reads {VERSION}")
            return cls(**values)
        except (KeyError, TypeError, ValueError):
            raise DamagedBackupError("the backup's manifest cannot be read") from None


class Hashing:
    """A file as it is read, and the digest of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._file.read(size)
        self.digest.update(data)
        return data

    def blocks(self) -> Iterator[bytes]:
        """Yield what is left."""
        while block := self.read(BLOCK_BYTES):
            yield block
