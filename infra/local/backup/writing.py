"""Writing the file of a backup: for its owner alone, and seen when all of it is there."""

import fcntl
import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from infra.local.backup.errors import BackupError
from infra.local.backup.format import CHECKSUMS, MANIFEST, PARTIAL, Hashing, Manifest
from infra.local.backup.reading import read
from infra.local.files import PRIVATE, sync_folder

_LEVEL: Final = 1
"""Of compression: what is compressed already, as most documents are, takes no time for nothing."""


class BackupWriter:
    """Adds members to a file that nobody else may read."""

    def __init__(self, tar: tarfile.TarFile, checksums: IO[bytes], made_at: datetime) -> None:
        self._tar = tar
        self._checksums = checksums
        self._time = int(made_at.timestamp())

    def add(self, name: str, path: Path) -> None:
        """Add a file's content."""
        with path.open("rb") as opened:
            hashed = Hashing(opened)
            self._add(name, os.fstat(opened.fileno()).st_size, hashed)
        self._checksums.write(f"{hashed.digest.hexdigest()}  {name}\n".encode())

    def finish(self, manifest: Manifest) -> None:
        """End the file with its checksums."""
        size = self._checksums.tell()
        self._checksums.seek(0)
        hashed = Hashing(self._checksums)
        self._add(CHECKSUMS, size, hashed)
        described = {**asdict(manifest), "checksums_sha256": hashed.digest.hexdigest()}
        text = json.dumps(described, indent=2).encode() + b"\n"
        with TemporaryFile() as held:
            held.write(text)
            held.seek(0)
            self._add(MANIFEST, len(text), Hashing(held))

    def _add(self, name: str, size: int, content: "Hashing") -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, PRIVATE, self._time
        self._tar.addfile(member, content)


@contextmanager
def writing(path: Path, made_at: datetime, *, verify: bool = False) -> Iterator[BackupWriter]:
    """Write a backup; `path` has it, whole and durable, when the block has ended, and nothing of it before.

    `verify`: it is read back before it takes the place of what may be there.

    Raises:
        BackupError: somebody else writes this file.
        DamagedBackupError: what was read back is not what was written.
    """
    partial = path.with_name(f"{path.name}{PARTIAL}")
    with claimed(partial) as file, TemporaryFile() as checksums:
        try:
            with (
                gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield BackupWriter(tar, checksums, made_at)
            file.flush()
            os.fsync(file.fileno())
            if verify:
                read(partial)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


@contextmanager
def claimed(partial: Path) -> Iterator[IO[bytes]]:
    """Yield the file, empty, for this process alone; a process that is killed lets go of it.

    Raises:
        BackupError: another process writes it.
    """
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have finished, and what was opened is a whole backup by now.
            is_same = partial.exists() and os.path.samestat(partial.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            is_same = False
        if not is_same:
            raise BackupError(f"{partial} is being written by another backup; give each home a folder of its own")
        file.truncate(0)
        # What was there already may have been made by somebody who left it open to others.
        os.fchmod(descriptor, PRIVATE)
        yield file
