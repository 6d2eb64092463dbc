"""What can be seen of an installation without asking it: Python, the home folder, whether it runs."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from infra.local.endpoints import Endpoints
from infra.local.home import Home
from infra.local.operations.examined import Examined

OLDEST_PYTHON: Final = (3, 11)
LEAST_FREE: Final = 1024**3
START: Final = "Start it with `make up`, or name its folder with CHATSPHERE_HOME."
BACKUP_DAYS: Final = 7


def examine_machine(home: Home, now: datetime) -> Iterator[Examined]:
    """Yield what there is to say of this machine and of the home folder."""
    yield _python()
    if not home.root.is_dir():
        yield Examined("home folder", "failed", f"{home.root} is not there.", START)
        return
    yield _private(home)
    yield _space(home.root)
    yield _running(home)
    yield _backup(home, now)


def endpoints_of(home: Home) -> Endpoints | None:
    """Return where the installation of a home is reached, None where it does not run or has not started yet."""
    try:
        endpoints = Endpoints.read(home.endpoints)
    except (OSError, ValueError, TypeError):
        return None
    return endpoints if _lives(endpoints.supervisor) else None


def _python() -> Examined:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return Examined("Python", "failed", f"{version}", "Install Python 3.11 or newer, then `make clean up`.")
    return Examined("Python", "ok", version)


def _private(home: Home) -> Examined:
    """The folder may be passed through, for PostgreSQL's own user; nothing in it may be read or written by others."""
    secret = [home.root / "secrets.json", home.endpoints, home.demo]
    exposed = [path for path in secret if path.exists() and path.stat().st_mode & 0o077]
    if home.root.stat().st_mode & 0o066:
        exposed.append(home.root)
    if exposed:
        names = " ".join(str(path) for path in exposed)
        return Examined("home folder", "failed", f"Others may read or write {names}.", f"Run: chmod go-rw {names}")
    if not os.access(home.root, os.W_OK):
        return Examined("home folder", "failed", f"{home.root} is not yours to write.", "Run as the user who owns it.")
    return Examined("home folder", "ok", str(home.root))


def _space(root: Path) -> Examined:
    free = shutil.disk_usage(root).free
    found = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE:
        return Examined("disk", "failed", found, "Make room: below 1 GiB PostgreSQL may stop with its disk full.")
    return Examined("disk", "ok", found)


def _running(home: Home) -> Examined:
    if not home.endpoints.exists():
        return Examined("process", "failed", "It does not run.", START)
    endpoints = endpoints_of(home)
    if endpoints is None:
        return Examined("process", "failed", "It was ended from outside: endpoints.json names nobody who lives.", START)
    return Examined("process", "ok", f"process {endpoints.supervisor}, {endpoints.api}")


def _backup(home: Home, now: datetime) -> Examined:
    advice = "Run `chatsphere backup`, best every day by cron; see docs/backup.md."
    try:
        note = json.loads(home.last_backup.read_bytes())
        age = now - datetime.fromisoformat(note["made_at"])
        file, verified = Path(note["file"]), bool(note["verified"])
    except FileNotFoundError:
        return Examined("backup", "warning", "No backup was made of this home.", advice)
    except (OSError, ValueError, TypeError, KeyError):
        return Examined("backup", "warning", f"{home.last_backup} cannot be read.", advice)
    found = f"The last one is {age.days} days old: {file}"
    if age > timedelta(days=BACKUP_DAYS):
        return Examined("backup", "warning", found, advice)
    if not verified:
        return Examined(
            "backup", "warning", f"{found}. It was not verified.", f"Run `chatsphere backup verify {file}`."
        )
    return Examined("backup", "ok", found)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
