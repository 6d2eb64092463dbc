"""Reading the file of a backup, and comparing every checksum in it."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Final

from infra.local.backup.errors import DamagedBackupError
from infra.local.backup.format import (
    BLOCK_BYTES,
    CHECKSUMS,
    DUMP,
    HOME,
    HOME_FILES,
    MANIFEST,
    MIRRORS,
    Hashing,
    Manifest,
)

_MAX_SMALL_BYTES: Final = 1024 * 1024

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
        with (
            TemporaryFile() as checksums,
            gzip.open(path) as packed,
            tarfile.open(fileobj=packed, mode="r|", bufsize=BLOCK_BYTES) as tar,
        ):
            manifest = _read(tar, checksums, receive)
            _read_to_end(tar, packed)
            return manifest
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise DamagedBackupError(f"{path} is no backup, or damaged: {error}") from None
    except ValueError:
        raise DamagedBackupError(f"{path} is no backup, or damaged") from None


def _read_to_end(tar: tarfile.TarFile, packed: gzip.GzipFile) -> None:
    """Have gzip compare its own checksum, which is all that tells whether the manifest is as it was written."""
    if tar.next() is not None:
        raise DamagedBackupError("the backup goes on after its manifest")
    while packed.read(BLOCK_BYTES):
        pass


def _read(tar: tarfile.TarFile, checksums: IO[bytes], receive: Receive | None) -> Manifest:
    stated = ""
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise DamagedBackupError(f"the backup holds {member.name!r}, which is no file")
        hashed = Hashing(content)
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
    hashed = Hashing(file)
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
