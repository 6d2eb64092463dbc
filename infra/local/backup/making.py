"""Making a backup of a home, while the product runs in it or while it does not."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from chatsphere import __version__
from infra.local.backup import database
from infra.local.backup.errors import BackupError
from infra.local.backup.format import DUMP, HOME, HOME_FILES, Manifest
from infra.local.backup.objects import LinkedObjects
from infra.local.backup.rotation import drop_unfinished
from infra.local.backup.server import reachable
from infra.local.backup.writing import BackupWriter, writing
from infra.local.files import write_json
from infra.local.home import Home
from infra.local.postgres_cluster import SUPERUSER
from infra.local.product import LOGIN_ROLES

SNAPSHOTS: Final = 10
"""How often a snapshot is taken until every object that it refers to is held: an object must come, be registered and
go again between two looks for one not to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made. `size` in bytes."""

    file: Path
    size: int
    made_at: str
    verified: bool
    counts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed, and kept in the home."""
        return {
            "file": str(self.file),
            "bytes": self.size,
            "made_at": self.made_at,
            "verified": self.verified,
            "counts": self.counts,
        }


def back_up(home: Home, target: Path, *, verify: bool = True) -> Backup:
    """Write everything that the home keeps into one file, readable by its owner only: it holds secrets.

    Raises:
        BackupError: why that is not possible; nothing is left of a backup that was not finished.
    """
    made_at = datetime.now(UTC)
    with _alone(home), reachable(home) as url, _staging(home) as folder:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        drop_unfinished(target.parent)
        with writing(target, made_at, verify=verify) as writer, database.errors_reported():
            manifest = _write(home, url, folder, writer, made_at)
            writer.finish(manifest)
    made = Backup(target.resolve(), target.stat().st_size, manifest.made_at, verify, manifest.counts)
    # For `chatsphere doctor`, and for whoever asks when that was.
    write_json(home.last_backup, made.as_json())
    return made


def _write(home: Home, url: str, folder: Path, writer: BackupWriter, made_at: datetime) -> Manifest:
    objects = LinkedObjects(home, folder)
    dump = folder / DUMP
    for _ in range(SNAPSHOTS):
        objects.link()
        with database.snapshot(url) as (connection, name):
            objects.link()
            objects.prune(connection)
            missing = objects.missing(connection)
            if missing:
                continue
            revision, version, counts = database.described(connection)
            roles = database.roles(connection)
            database.dump(url, name, dump)
        break
    else:
        raise BackupError(
            f"{len(missing)} objects that the database knows are not in the bucket's mirror, such as {missing[0]!r}; "
            "have them found with: chatsphere reconcile"
        )
    writer.add(DUMP, dump)
    for member, path in objects.files():
        writer.add(member, path)
    for member, path in _home_files(home, folder):
        writer.add(member, path)
    return Manifest(
        made_at=made_at.isoformat(timespec="seconds"),
        release=__version__,
        schema_revision=revision,
        postgres=version,
        counts={**counts, **objects.count()},
        roles=roles,
    )


def _home_files(home: Home, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what the home needs beside its data. The roles' passwords are made anew in every home."""
    secrets: dict[str, str] = json.loads((home.root / "secrets.json").read_bytes())
    kept = {name: value for name, value in secrets.items() if name not in {SUPERUSER, *LOGIN_ROLES}}
    write_json(folder / "secrets.json", kept)
    for name in HOME_FILES:
        path = (folder if name == "secrets.json" else home.root) / name
        if path.exists():
            yield f"{HOME}/{name}", path


@contextmanager
def _staging(home: Home) -> Iterator[Path]:
    """Yield a folder that is gone afterwards; what a killed backup left of it goes at the next start, or backup."""
    home.scratch.mkdir(mode=0o700, exist_ok=True)
    folder = home.scratch / "backup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    except FileNotFoundError:
        if folder.exists():
            raise
        raise BackupError("the product was started meanwhile, which ends a backup of its home; try again") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    if not home.root.is_dir():
        raise BackupError(f"there is no home at {home.root}")
    lock = os.open(home.root / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupError("another backup of this home is under way") from None
    finally:
        os.close(lock)
