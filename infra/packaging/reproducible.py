"""Makes a built folder the same whoever built it, and when."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

MADE_AT: Final = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


def normalize(folder: Path) -> None:
    """Give every file the same time, and the permissions that Lambda's own user needs."""
    for path in sorted(folder.rglob("*"), reverse=True):
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (MADE_AT, MADE_AT))
    os.utime(folder, (MADE_AT, MADE_AT))
