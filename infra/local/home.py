"""The folder that holds everything one instance keeps: its database, objects, mail, secrets and logs."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from infra.local.errors import HalfRestoredError, HomeInUseError, HomeNotUsableError
from infra.local.files import write_json
from infra.local.ports import is_free, listening_socket, unused_port


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below `root` and the small files kept there."""

    root: Path

    @property
    def database(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "postgres"

    @property
    def objects(self) -> Path:
        """The mirror of the uploads bucket."""
        return self.root / "objects"

    @property
    def archived(self) -> Path:
        """The mirror of the archive bucket."""
        return self.root / "archive"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def mail(self) -> Path:
        """One file for each mail that the product would have sent."""
        return self.root / "mail"

    @property
    def scratch(self) -> Path:
        """Temporary files and the workers' HOME; emptied at each start."""
        return self.root / "scratch"

    @property
    def endpoints(self) -> Path:
        """Where to reach the running instance; present only while it runs."""
        return self.root / "endpoints.json"

    @property
    def demo(self) -> Path:
        """The demo account, kept across restarts."""
        return self.root / "demo.json"

    @property
    def restoring(self) -> Path:
        """Which backup is being restored; present until all of it is there."""
        return self.root / "restoring.json"

    @property
    def last_backup(self) -> Path:
        """When the last backup was made, how large it is and where."""
        return self.root / "last_backup.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folders and hold them alone.

        Raises:
            HomeInUseError: another process holds this home.
            HalfRestoredError: a restore into it was cut short.
        """
        with self.held():
            self.check_whole()
            self._prepare()
            yield

    def check_whole(self) -> None:
        """Raise `HalfRestoredError` where a restore was cut short."""
        if self.restoring.exists():
            source = self._read(self.restoring.name).get("file", "the backup")
            raise HalfRestoredError(
                f"{self.root} is half restored; finish it with: chatsphere restore {source} --home {self.root}"
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the home alone, as it is.

        Raises:
            HomeInUseError: another process holds this home.
            HomeNotUsableError: there can be none, or it is another user's.
        """
        lock = self._open_lock()
        try:
            self._take(lock)
            yield
        finally:
            os.close(lock)

    def _open_lock(self) -> int:
        try:
            # Only owner access, but for the right to pass through: PostgreSQL may run as another user.
            self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
            return os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise HomeNotUsableError(
                f"{self.root} cannot be the home folder ({error.strerror}: {error.filename}); "
                "set CHATSPHERE_HOME to a folder of your own"
            ) from None

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode() or "unknown"
            raise HomeInUseError(
                f"another instance (process {holder}) runs in {self.root}; stop it, or set CHATSPHERE_HOME "
                "to another folder"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)

    def _prepare(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.objects, self.archived, self.logs, self.mail, self.scratch):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.endpoints.unlink(missing_ok=True)

    def secret(self, name: str) -> str:
        """Return the random secret `name`, made on first use."""
        kept = self._read("secrets.json")
        if name not in kept:
            kept[name] = secrets.token_urlsafe(24)
            write_json(self.root / "secrets.json", kept)
        return str(kept[name])

    def port(self, name: str) -> int:
        """Return a free loopback port for `name`: the one used last time if nobody took it.

        Somebody may take it before it is listened on; `listener` leaves no time for that.
        """
        kept = self._read("ports.json").get(name)
        return int(kept) if kept and is_free(kept) else self._keep_port(name, unused_port())

    def listener(self, name: str) -> socket:
        """Return a socket that listens on a loopback port for `name`: the one used last time if nobody took it."""
        try:
            listener = listening_socket(self._read("ports.json").get(name, 0))
        except OSError:
            listener = listening_socket(0)
        self._keep_port(name, listener.getsockname()[1])
        return listener

    def _keep_port(self, name: str, port: int) -> int:
        kept = self._read("ports.json")
        if kept.get(name) != port:
            write_json(self.root / "ports.json", kept | {name: port})
        return port

    def _read(self, name: str) -> dict[str, Any]:
        path = self.root / name
        return json.loads(path.read_bytes()) if path.exists() else {}
