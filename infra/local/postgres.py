"""The embedded PostgreSQL: one server over one data directory, kept running."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from infra.local.child import Child, start_child
from infra.local.console import say
from infra.local.errors import LocalRunError, PortInUseError
from infra.local.log_file import LogFile
from infra.local.ports import LOOPBACK
from infra.local.postgres_cluster import (
    SUPERUSER,
    launch,
    make_cluster,
    make_reachable,
    programs,
    server_account,
    server_environment,
)
from infra.local.postgres_leftover import end_leftover

DATABASE = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 0.5
POLL_SECONDS = 0.02

PORTS_TRIED: Final = 5
"""How many ports are tried: the server takes no socket that listens already, only a number that was free before."""

PORT_TAKEN: Final = "Address already in use"
"""What the server says of a port that another program has taken."""

# Small memory, full durability: fsync and synchronous_commit stay on.
CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a long home would exceed the limit of a socket's path
    "max_connections": "100",
    # A statement may lock each partition with its indexes: of a table by day more than a thousand.
    "max_locks_per_transaction": "256",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Parallel index builds need shared memory that containers rarely have.
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # A violated constraint's details quote the row: people's addresses would get into the log.
    "log_error_verbosity": "terse",
}


class Postgres:
    """Listens on a loopback port and asks for passwords: other users of the machine cannot enter.

    `choose_port` names a free port. Which one it became is known once `start` has returned, and then stays.
    """

    def __init__(
        self,
        data: Path,
        choose_port: Callable[[], int],
        password: str,
        log: LogFile,
        overrides: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._data = data.resolve()
        self._choose_port = choose_port
        self._port = 0
        self._password = password
        self._log = log
        self._configuration = {**CONFIGURATION, **overrides}
        self._child: Child | None = None

    def url(self, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return the connection URL of `user`."""
        secret = quote(self._password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@{LOOPBACK}:{self._port}/{DATABASE}"

    async def start(self) -> None:
        """Make the data directory if there is none, end a leftover server, start, and wait until ready.

        Raises:
            PortInUseError: other programs were faster at `PORTS_TRIED` ports.
            LocalRunError: the server did not become ready; the message holds the end of its log.
        """
        for tries_left in reversed(range(PORTS_TRIED)):
            self._port = self._choose_port()
            try:
                await self._start()
            except PortInUseError:
                if not tries_left:
                    raise
            else:
                return

    async def _start(self) -> None:
        account = await asyncio.to_thread(server_account)
        make_reachable(self._data)
        make_reachable(programs() / "postgres")
        if not (self._data / "PG_VERSION").exists():
            await asyncio.to_thread(make_cluster, self._data, account, self._password)
        await asyncio.to_thread(end_leftover, self._data)
        self._child = await start_child(
            [*launch(account), str(programs() / "postgres"), *self._arguments()],
            environment=server_environment(),
            folder=Path("/"),
            log=self._log,
        )
        await self._wait_until_ready(self._child)

    async def keep_running(self) -> None:
        """Restart the server whenever it ends; it recovers from its own log."""
        while self._child is not None:
            code = await self._child.wait()
            say(f"PostgreSQL ended (exit code {code}) and is restarted:\n{self._log.tail()}")
            await asyncio.sleep(RESTART_SECONDS)
            await self._start()

    async def stop(self) -> None:
        """Stop the server, rolling back what is open."""
        if self._child is not None:
            await self._child.stop(by=signal.SIGINT, within=STOP_SECONDS)

    def _arguments(self) -> list[str]:
        configuration = {**self._configuration, "port": str(self._port)}
        options = (part for name, value in configuration.items() for part in ("-c", f"{name}={value}"))
        return ["-D", str(self._data), *options]

    async def _wait_until_ready(self, child: Child) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while not (child.ended or _says_ready(self._data, child.pid)):
                    await asyncio.sleep(POLL_SECONDS)
        if not child.ended and _says_ready(self._data, child.pid):
            return
        if child.ended:
            await child.wait()  # for its last words, which say why
        await child.stop()
        why = self._log.tail()
        raise (PortInUseError if PORT_TAKEN in why else LocalRunError)(f"PostgreSQL did not start:\n{why}")


def _says_ready(data: Path, pid: int) -> bool:
    """The server writes its id first and its state last into its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]) == pid and lines[7].strip() == "ready"
    except (OSError, IndexError, ValueError):
        return False
