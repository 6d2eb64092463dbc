"""Clears away the server that a killed run left over a data directory.

The caller holds the home's lock, so nobody alive owns that server: it was started by an earlier run of this home.
"""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil

STOP_SECONDS = 15.0


def end_leftover(data: Path) -> None:
    """End a server that still runs over `data`, and forget one that does not."""
    pid_file = data / "postmaster.pid"
    recorded = _recorded_id(pid_file)
    if recorded is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        server = psutil.Process(recorded)
        if _is_server_of(server, data):
            _end(server)
    for process in _servers_of(data):  # children whose parent was killed; they would end by themselves, later
        _end(process)
    # The id now belongs to another program, or to a zombie that nobody collects (a container without an init):
    # PostgreSQL would take either for a server and refuse to start.
    if psutil.pid_exists(recorded):
        pid_file.unlink(missing_ok=True)


def _recorded_id(pid_file: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(pid_file.read_text().splitlines()[0])
    return None


def _servers_of(data: Path) -> Iterator[psutil.Process]:
    return (process for process in psutil.process_iter() if _is_server_of(process, data))


def _is_server_of(process: psutil.Process, data: Path) -> bool:
    """Every process of a server works in the data directory."""
    try:
        return bool(process.name().startswith("postgres") and Path(process.cwd()) == data)
    except psutil.Error:
        return False


def _end(process: psutil.Process) -> None:
    for way in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(way)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
