"""Runs an instance for the length of a `with` block: for end-to-end tests, benchmarks and measurements."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.endpoints import Endpoints
from infra.local.errors import LocalRunError
from infra.local.home import Home
from infra.local.launcher import REPOSITORY
from infra.local.up import STOP_AT_EOF

START_SECONDS = 120.0
STOP_SECONDS = 60.0
UP = (sys.executable, "-m", "infra.local", "up")


@contextmanager
def running(
    home: Path, port: int = 0, command: Sequence[str] = UP, *, environment: Mapping[str, str] | None = None
) -> Iterator[Endpoints]:
    """Yield the endpoints of an instance in `home`, on `port` (0: any free one); stop it at the end.

    `command` is given `--home` and `--port`; `environment` is added to this process's own.

    Raises:
        LocalRunError: it did not become ready; the message holds its output.
    """
    process = start(home, port, command, environment=environment)
    try:
        yield wait_until_ready(process, home)
    finally:
        stop(process)


def start(
    home: Path, port: int = 0, command: Sequence[str] = UP, *, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start an instance without waiting for it; its output goes to `<home>/output.log`.

    It stops with this process, and when the returned object is dropped: that holds the end of the instance's input.
    """
    home.mkdir(parents=True, exist_ok=True)
    python_path = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "shared")))
    with (home / "output.log").open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--home", str(home), "--port", str(port)],
            cwd=REPOSITORY,
            env={**os.environ, **(environment or {}), "PYTHONPATH": python_path, STOP_AT_EOF: "1"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_ready(process: subprocess.Popen[bytes], home: Path, within: float = START_SECONDS) -> Endpoints:
    """Return the endpoints as soon as this process has written them."""
    deadline = time.monotonic() + within
    path = Home(home).endpoints
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists():
            endpoints = Endpoints.read(path)
            if endpoints.supervisor == process.pid:  # not what a killed run left behind
                return endpoints
        time.sleep(0.05)
    raise LocalRunError(f"the instance is not ready:\n{(home / 'output.log').read_text()}")


def stop(process: subprocess.Popen[bytes], within: float = STOP_SECONDS) -> int:
    """Ask the instance to stop, kill it if it does not, and return its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    if process.stdin is not None:
        process.stdin.close()
    try:
        return process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
