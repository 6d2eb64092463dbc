"""Where backups go whose file is not named, and which of them are kept."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infra.local.home import Home

PREFIX: Final = "chatsphere-"
SUFFIX: Final = ".tar.gz"


def target_for(home: Home, place: Path | None, now: datetime | None = None) -> Path:
    """Return the file to write: the one that is named, or a new one in the folder that is, or in the home's own."""
    folder = place if place is not None else home.root / "backups"
    if place is not None and not place.is_dir():
        return place
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"{PREFIX}{moment}{SUFFIX}"


def drop_old(folder: Path, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups of a folder, of those that were named here; return the deleted."""
    found = sorted(folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True)
    for path in found[keep:]:
        path.unlink()
    return found[keep:]
