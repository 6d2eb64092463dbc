"""MiniStack as a process of its own: loopback alone, an environment of its own, TLS and IAM switched on."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context
from typing import Any, Final

import boto3
from botocore.config import Config

from infra.cloud.node import packaged_node
from infra.local.ports import LOOPBACK, listening_socket
from tests.packaged_python import python_with
from tests.waiting import wait_for

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
ROOT_KEY: Final = "test"
"""The account's root user, as MiniStack knows it. Functions get a session of their own role instead."""

SERVER: Final = ("-m", "hypercorn", "--config", "python:ministack.core.hypercorn_conf", "ministack.app:app")
"""As MiniStack's own container starts it. `python -m ministack` would listen on port 443 as well, if it may."""

START_SECONDS: Final = 60
STOP_SECONDS: Final = 5
"""It has nothing to save: what it keeps is in memory, and its folder goes with it."""


class EmulatorError(Exception):
    """The emulator did what it should not, or did not do what it should; the message says what."""


@dataclass(frozen=True)
class MiniStack:
    """A running emulator. `certificate`: whom its clients trust; `log`: what it printed so far."""

    url: str
    certificate: Path
    log: Path

    def client(self, service: Any) -> Any:
        """Return a client of a service, such as `s3`, as the account's root user."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            verify=str(self.certificate),
            region_name=REGION,
            aws_access_key_id=ROOT_KEY,
            aws_secret_access_key=ROOT_KEY,
            # An emulator that does not answer at once is broken; a retry would only hide it.
            config=Config(retries={"total_max_attempts": 1}, read_timeout=120, s3={"addressing_style": "path"}),
        )

    def invoke_url(self, rest_api_id: str, stage: str) -> str:
        """Return where a stage of a REST API answers: its own host name leads nowhere here."""
        return f"{self.url}/restapis/{rest_api_id}/{stage}/_user_request_"


@contextmanager
def running_ministack(home: Path) -> Iterator[MiniStack]:
    """Start MiniStack on a free loopback port, with everything it writes below `home`; end it, and what it started.

    Raises:
        EmulatorError: it does not start; the message has the end of its log.
    """
    home.mkdir(parents=True)
    log = home / "ministack.log"
    # The socket listens before the process does, so no other program can take the port in between.
    with log.open("wb") as output, listening_socket(0) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [python_with("emulator"), *SERVER, "--bind", f"fd://{listener.fileno()}"],
            pass_fds=[listener.fileno()],
            cwd=home,
            env=_environment(home, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = MiniStack(f"https://{LOOPBACK}:{port}", home / "ministack-tls" / "server.crt", log)
    try:
        wait_for(
            lambda: process.poll() is not None or _answers(emulator), what="MiniStack", timeout_seconds=START_SECONDS
        )
        if process.poll() is not None:
            raise EmulatorError(f"MiniStack ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        yield emulator
    finally:
        _end(process)


def _environment(home: Path, port: int) -> dict[str, str]:
    """Return all that MiniStack and the functions, its children, see of this machine."""
    node = packaged_node()
    return {
        # Node runs the functions that AWS's library brings along.
        "PATH": os.pathsep.join([*([str(node.parent)] if node else []), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        # Policies are enforced, and each of ours refuses what does not come by TLS.
        "AUTH": "true",
        "USE_SSL": "1",
        "STATE_DIR": str(home / "state"),
        "S3_DATA_DIR": str(home / "objects"),
        # Two listeners that nobody asked for; the first would not keep to loopback.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _answers(emulator: MiniStack) -> bool:
    try:
        context = create_default_context(cafile=str(emulator.certificate))
        with urllib.request.urlopen(f"{emulator.url}/_ministack/health", context=context, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    # Its children, the functions, are in the session that was made for it.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
