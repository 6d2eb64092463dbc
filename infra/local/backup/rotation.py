"""Where backups go whose file is not named, and which of them are kept."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infra.local.backup.errors import BackupError
from infra.local.backup.format import PARTIAL
from infra.local.backup.writing import claimed
from infra.local.home import Home

PREFIX: Final = "chatsphere-"
SUFFIX: Final = ".tar.gz"


def target_for(home: Home, place: Path | None, now: datetime | None = None, *, is_folder: bool = False) -> Path:
    """Return the file to write: the one that is named, or a new one in the folder that is, or in the home's own.

    `is_folder`: what is named is a folder, even if it is not there yet.
    """
    folder = place if place is not None else home.root / "backups"
    if place is not None and not (is_folder or place.is_dir()):
        return place
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"{PREFIX}{moment}{SUFFIX}"


def drop_old(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups of a folder, of those that were named here; return the deleted."""
    found = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True)
    for path in found[keep:]:
        path.unlink()
    return found[keep:]


def drop_unfinished(folder: Path) -> None:
    """Delete what backups that were killed left in a folder: it holds secrets. Those under way are left alone."""
    for partial in folder.glob(f"{PREFIX}*{SUFFIX}{PARTIAL}"):
        with suppress(BackupError, FileNotFoundError), claimed(partial):
            partial.unlink()
