"""Stored logins, one for each API: a file that only its owner can read, written as a whole or not at all."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from chatsphere.cli.errors import UsageError

FILE_NAME = "credentials.json"


@dataclass(frozen=True, slots=True)
class Login:
    """Tokens of one person at one API; `expires_at` is the access token's, in seconds since the epoch."""

    email: str
    access_token: str
    refresh_token: str
    expires_at: float


class CredentialStore:
    """The logins of this machine's user. `current` is the API that was logged in to last."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def current(self) -> str | None:
        """Return the API of the latest login that is still stored."""
        current = self._read().get("current")
        return current if isinstance(current, str) and self.get(current) else None

    def get(self, api: str) -> Login | None:
        """Return the login at an API."""
        stored = self._read()["logins"].get(api)
        try:
            return Login(**stored) if stored else None
        except TypeError:
            raise self._unreadable() from None

    def put(self, api: str, login: Login) -> None:
        """Store a login and make its API the current one."""
        with self._locked():
            content = self._read()
            content["logins"][api] = asdict(login)
            self._write({**content, "current": api})

    def remove(self, api: str) -> None:
        """Forget the login at an API."""
        with self._locked():
            content = self._read()
            content["logins"].pop(api, None)
            current = None if content["current"] == api else content["current"]
            self._write({**content, "current": current})

    def renew(self, api: str, spent: Login, renewal: Callable[[Login], Login]) -> Login | None:
        """Replace a login whose access token is spent by what `renewal` returns; None if it is gone.

        Refresh tokens are used up by their use: two processes that spend the same one would look to the
        server like a theft, and both would be logged out. So the file is held during the renewal, and the
        second process finds the login already renewed.
        """
        with self._locked():
            stored = self.get(api)
            if stored is None or stored.access_token != spent.access_token:
                return stored
            renewed = renewal(stored)
            content = self._read()
            content["logins"][api] = asdict(renewed)
            self._write(content)
            return renewed

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"current": None, "logins": {}}
        except (OSError, ValueError):
            raise self._unreadable() from None
        if not isinstance(content, dict) or not isinstance(content.get("logins"), dict):
            raise self._unreadable()
        return {"current": content.get("current"), "logins": content["logins"]}

    def _unreadable(self) -> UsageError:
        return UsageError(f"{self.path} cannot be read.", hint="Delete it and log in again: chatsphere login")

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file 0600 from its first byte on.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=FILE_NAME)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path.parent / f"{FILE_NAME}.lock").open("a") as lock:
            _lock(lock)
            yield


def _lock(file: IO[str]) -> None:
    """Lock the file until it is closed."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        getattr(msvcrt, "locking")(file.fileno(), getattr(msvcrt, "LK_LOCK"), 1)  # noqa: B009 - unknown to mypy elsewhere
    else:
        fcntl.flock(file, fcntl.LOCK_EX)
