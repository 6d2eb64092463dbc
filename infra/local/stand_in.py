"""Starts the S3 and SQS stand-in's process."""

import asyncio
from contextlib import suppress
from socket import socket

from infra.local.child import Child, start_child
from infra.local.environment import process_environment
from infra.local.errors import LocalRunError
from infra.local.home import Home
from infra.local.launcher import REPOSITORY
from infra.local.log_file import LogFile
from infra.local.ports import LOOPBACK
from infra.local.stand_in_plan import StandInPlan

START_SECONDS = 60.0
HEALTH_CHECK = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"


async def start_stand_in(plan: StandInPlan, home: Home, log: LogFile, listener: socket) -> Child:
    """Start the process on `listener`, which is closed here, and wait until it answers.

    Raises:
        LocalRunError: it ended, or did not answer in time.
    """
    path = home.scratch / "stand_in.json"
    plan.write(path)
    # The socket listens before the process does, so no other program can take the port in between.
    with listener:
        child = await start_child(
            ["infra.local.moto_process", str(path), str(listener.fileno())],
            environment=_environment(home),
            folder=home.scratch,
            log=log,
            inherit=[listener.fileno()],
        )
    try:
        await asyncio.wait_for(_answers(plan.port), START_SECONDS)
    except (OSError, TimeoutError):
        await child.stop()
        raise LocalRunError(f"the S3 and SQS stand-in did not start:\n{log.tail()}") from None
    except asyncio.CancelledError:
        await child.stop()
        raise
    return child


def _environment(home: Home) -> dict[str, str]:
    # Uploads go through memory; each gets pages of its own, which go back to the system.
    return process_environment(home) | {"PYTHONPATH": str(REPOSITORY), "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024)}


async def _answers(port: int) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(HEALTH_CHECK)
    await writer.drain()
    if not await reader.readline():
        raise ConnectionResetError
    with suppress(OSError):
        writer.close()
        await writer.wait_closed()
