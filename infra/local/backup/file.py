"""The file of a backup: a tar, packed by gzip, that ends with the SHA-256 of each of its members.

    postgres.dump               the database, in pg_dump's custom format
    objects/…, archive/…        every version of every object, as the mirrors hold them
    home/…                      keys and accounts that the home needs
    checksums                   `<SHA-256>  <name>`, one line a member above, in the order of the file
    manifest.json               what the backup is of, and the SHA-256 of `checksums`

It is written and read from beginning to end: of any size, it takes the memory of one block.
"""

import gzip
import hashlib
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any, Final, Self

from infra.local.backup.errors import DamagedBackupError, NewerBackupError
from infra.local.files import PRIVATE, sync_folder

FORMAT: Final = "chatsphere-backup"
VERSION: Final = 1

DUMP: Final = "postgres.dump"
HOME: Final = "home"
CHECKSUMS: Final = "checksums"
MANIFEST: Final = "manifest.json"
MIRRORS: Final = ("objects", "archive")

HOME_FILES: Final = ("secrets.json", "token_keys.json", "demo.json")
"""What of the home is in a backup beside its data. Ports, logs and mail are not."""

_BLOCK_BYTES: Final = 1024 * 1024
_LEVEL: Final = 1
"""Of compression: what is compressed already, as most documents are, takes no time for nothing."""

_MAX_SMALL_BYTES: Final = 1024 * 1024


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


class BackupWriter:
    """Adds members to a file that nobody else may read."""

    def __init__(self, tar: tarfile.TarFile, checksums: IO[bytes], made_at: datetime) -> None:
        self._tar = tar
        self._checksums = checksums
        self._time = int(made_at.timestamp())

    def add(self, name: str, path: Path) -> None:
        """Add a file's content."""
        with path.open("rb") as opened:
            hashed = _Hashing(opened)
            self._add(name, os.fstat(opened.fileno()).st_size, hashed)
        self._checksums.write(f"{hashed.digest.hexdigest()}  {name}\n".encode())

    def finish(self, manifest: Manifest) -> None:
        """End the file with its checksums."""
        size = self._checksums.tell()
        self._checksums.seek(0)
        hashed = _Hashing(self._checksums)
        self._add(CHECKSUMS, size, hashed)
        described = {**asdict(manifest), "checksums_sha256": hashed.digest.hexdigest()}
        text = json.dumps(described, indent=2).encode() + b"\n"
        with TemporaryFile() as held:
            held.write(text)
            held.seek(0)
            self._add(MANIFEST, len(text), _Hashing(held))

    def _add(self, name: str, size: int, content: "_Hashing") -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, PRIVATE, self._time
        self._tar.addfile(member, content)


@contextmanager
def writing(path: Path, made_at: datetime) -> Iterator[BackupWriter]:
    """Write a backup; `path` has it, whole and durable, when the block has ended, and nothing of it before."""
    partial = path.with_name(f"{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file, TemporaryFile() as checksums:
            with (
                gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield BackupWriter(tar, checksums, made_at)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


Receive = Callable[[str, Iterator[bytes]], None]
"""Takes a member's name and content; what it leaves of the content is read for it."""


def read(path: Path, receive: Receive | None = None) -> Manifest:
    """Read a backup from beginning to end, and return what it is of.

    Nothing of it is certain before the end: whoever acts on what is received has had it verified before.

    Raises:
        DamagedBackupError: it is not as it was written.
        NewerBackupError: it was made by a later release.
    """
    try:
        with TemporaryFile() as checksums, tarfile.open(path, mode="r|gz") as tar:
            return _read(tar, checksums, receive)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise DamagedBackupError(f"{path} is no backup, or damaged: {error}") from None
    except ValueError:
        raise DamagedBackupError(f"{path} is no backup, or damaged") from None


def _read(tar: tarfile.TarFile, checksums: IO[bytes], receive: Receive | None) -> Manifest:
    stated = ""
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise DamagedBackupError(f"the backup holds {member.name!r}, which is no file")
        hashed = _Hashing(content)
        if member.name == MANIFEST:
            manifest = Manifest.read(hashed.read(_MAX_SMALL_BYTES))
            if _digest_of(checksums) != stated or manifest.checksums_sha256 != stated:
                raise DamagedBackupError("the backup's checksums do not fit what it holds")
            return manifest
        if member.name != CHECKSUMS:
            _check_name(member.name)
            blocks = hashed.blocks()
            if receive is not None:
                receive(member.name, blocks)
            for _ in blocks:
                pass
            checksums.write(f"{hashed.digest.hexdigest()}  {member.name}\n".encode())
        else:
            for _ in hashed.blocks():
                pass
            stated = hashed.digest.hexdigest()
    raise DamagedBackupError("the backup ends before its manifest")


def _digest_of(file: IO[bytes]) -> str:
    file.seek(0)
    hashed = _Hashing(file)
    for _ in hashed.blocks():
        pass
    return hashed.digest.hexdigest()


def _check_name(name: str) -> None:
    """Refuse what would be written elsewhere than it belongs."""
    parts = PurePosixPath(name).parts
    folder, rest = parts[0] if parts else "", parts[1:]
    of_home = folder == HOME and rest in {(kept,) for kept in HOME_FILES}
    of_mirror = folder in MIRRORS and rest and ".." not in rest
    if not (name == DUMP or of_home or of_mirror):
        raise DamagedBackupError(f"the backup holds {name!r}, which belongs nowhere")


class _Hashing:
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
        while block := self.read(_BLOCK_BYTES):
            yield block
