"""Restoring a backup into an empty home. What is cut short says so, and begins again from the same file."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chatsphere.db.migrate import is_known
from infra.local.backup import database
from infra.local.backup.errors import HomeNotEmptyError, NewerBackupError
from infra.local.backup.format import DUMP, HOME, Manifest
from infra.local.backup.reading import read
from infra.local.backup.server import started
from infra.local.files import PRIVATE, sync_folder, write_json
from infra.local.home import Home
from infra.local.postgres_leftover import end_leftover

FORMER: Final = "former-"
"""Beginning of the folder that holds what was in the home before."""

_STAYS: Final = ("lock", "backup.lock", "backups", "output.log", "restoring.json", "lost+found")
"""What is no part of what was kept in the home; the last is the file system's, where the home is a volume."""


def restore(file: Path, home: Home, *, force: bool = False) -> Manifest:
    """Make the home what it was when the backup was made; return what the backup is of.

    Every checksum is compared before anything is changed. `force`: what is in the home is put aside, in a folder of it.

    Raises:
        DamagedBackupError: the file is not as it was written.
        NewerBackupError: a later release made it.
        HomeNotEmptyError: there is something in the home, and no restore that was cut short.
        HomeInUseError: the product runs in it.
        BackupError: PostgreSQL does not take it.
    """
    manifest = read(file)
    if not is_known(manifest.schema_revision):
        raise NewerBackupError(
            f"the backup was made by release {manifest.release}, whose database this release does not know; "
            "install that release, or a later one"
        )
    with home.held():
        _clear(home, file.resolve(), manifest, force=force)
        _fill(file, home, manifest)
        home.restoring.unlink()
        sync_folder(home.root)
    return manifest


def _clear(home: Home, file: Path, manifest: Manifest, *, force: bool) -> None:
    """Leave nothing in the way, and a note that the home is half restored, which says what is to become of the rest."""
    note = {"file": str(file), "made_at": manifest.made_at}
    present = _present(home, file)
    if home.restoring.exists():
        aside = json.loads(home.restoring.read_bytes()).get("aside")
    elif present and not force:
        raise HomeNotEmptyError(
            f"{home.root} is not empty; choose another folder with --home, or --force, which puts aside what is there"
        )
    else:
        aside = f"{FORMER}{datetime.now(UTC):%Y%m%dT%H%M%SZ}" if present else None
    if aside is None:
        # What is there is half of a restore, and nobody's data. Its server may outlive who was killed by a moment.
        end_leftover(home.database)
        for path in present:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        # Noted first: were this cut short, nothing would start over what is left, and the rest goes there, too.
        write_json(home.restoring, note | {"aside": aside})
        (home.root / aside).mkdir(mode=0o711, exist_ok=True)
        for path in present:
            path.rename(home.root / aside / path.name)
    write_json(home.restoring, note)


def _present(home: Home, file: Path) -> list[Path]:
    """Return what is in the way; the backup itself, wherever in the home it is, is not."""
    return [
        path
        for path in home.root.iterdir()
        if path.name not in _STAYS and not path.name.startswith(FORMER) and not file.is_relative_to(path)
    ]


def _fill(file: Path, home: Home, manifest: Manifest) -> None:
    home.scratch.mkdir(mode=0o700)
    for folder in (home.objects, home.archived):
        folder.mkdir(mode=0o700)
    dump = home.scratch / DUMP

    def receive(name: str, blocks: Iterator[bytes]) -> None:
        folder, _, rest = name.partition("/")
        path = dump if name == DUMP else home.root / (rest if folder == HOME else name)
        _write(path, blocks)

    read(file, receive)
    with started(home) as url:
        database.restore(url, dump, manifest.roles)
    dump.unlink()
    # Thousands of files: written out together, and only then is the home whole.
    os.sync()


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        for block in blocks:
            file.write(block)
