"""Packaged functions at work: under the real `awslambdaric`, or as the web server that the Web Adapter starts."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.child import Child
from infra.local.environment import lambda_variables
from infra.local.log_file import LogFile
from infra.local.ports import LOOPBACK, unused_port
from infra.local.runtime_api import RuntimeApi
from infra.local.worker import Worker
from infra.local.workers import WorkerPool
from infra.packaging import web_adapter
from infra.packaging.functions import entry_point
from tests.infra.packaging.machine import Package
from tests.moto_server import ENVIRONMENT

RUNTIME = """
import os, sys
sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], os.environ["PACKAGES"]]
del os.environ["PACKAGES"]
from awslambdaric.__main__ import main
main(sys.argv)
"""
START_SECONDS = 60
PORTS_TRIED = 5
PORT_TAKEN = "address already in use"
"""What uvicorn says of a port that another program has taken."""


@dataclass(frozen=True)
class Running:
    """A started function. `started`: how much it had printed when it was ready for its first event, in bytes."""

    pool: WorkerPool
    pid: int
    started: int

    async def invoke(self, event: Any) -> Any:
        """Run the function on an event and return its result."""
        return json.loads(await self.pool.invoke(json.dumps(event).encode()))


@dataclass(frozen=True)
class Server:
    """A started web server; `started` as in `Running`."""

    child: Child
    url: str
    started: int

    async def end(self) -> None:
        """Ask it to end, as Lambda does, and wait until it has."""
        self.child.send(signal.SIGTERM)
        async with asyncio.timeout(START_SECONDS):
            await self.child.wait()


def environment(package: Package, settings: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Return exactly what the function's process gets: Lambda's own variables and those of its settings."""
    return {
        **lambda_variables(package.spec, package.task),
        **settings,
        "PATH": f"{package.python.parent}:/usr/bin:/bin",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{package.python_version}",
        "AWS_REGION": ENVIRONMENT["AWS_DEFAULT_REGION"],
        **ENVIRONMENT,
    }


@asynccontextmanager
async def running(package: Package, variables: Mapping[str, str], log: Path) -> AsyncIterator[Running]:
    """Start the function under `awslambdaric` and wait until it asks for its first event.

    Raises:
        FunctionStartError: its handler cannot be imported; the message has the traceback.
    """
    api, children = RuntimeApi(), list[Child]()

    async def start(pool: WorkerPool, worker: Worker) -> Child:
        address = await api.open(pool, worker)
        own = {"AWS_LAMBDA_RUNTIME_API": address, "PACKAGES": str(package.packages)}
        command = (str(package.python), "-P", "-c", RUNTIME, entry_point(package.spec))
        children.append(await _start(command, {**variables, **own}, package.task, log))
        return children[-1]

    pool = WorkerPool(
        package.spec.name,
        timeout_seconds=START_SECONDS,
        max_workers=1,
        start_process=start,
        start_slots=asyncio.Semaphore(1),
    )
    try:
        await pool.start()
        yield Running(pool, children[-1].pid, log.stat().st_size)
    finally:
        await pool.stop()
        await api.close()


@asynccontextmanager
async def serving(package: Package, variables: Mapping[str, str], log: Path) -> AsyncIterator[Server]:
    """Start the function's `run.sh` as the Web Adapter does, and wait as it does until the port takes connections.

    Where another program takes the port first, it is started at another one.
    """
    # The last stands for /opt/python, which run.sh adds by itself.
    own = {**variables, **web_adapter.VARIABLES, "PYTHONPATH": str(package.packages)}
    script = package.task / entry_point(package.spec)
    assert os.access(script, os.X_OK), f"{script} cannot be executed"
    for tries_left in reversed(range(PORTS_TRIED)):
        port = unused_port()
        child = await _start((str(script),), {**own, "AWS_LWA_PORT": str(port)}, package.task, log)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not child.ended and not await _listens(port):
                    await asyncio.sleep(0.01)
            if not child.ended:
                yield Server(child, f"http://{LOOPBACK}:{port}", log.stat().st_size)
                return
        finally:
            await child.stop()
        assert PORT_TAKEN in log.read_text(), log.read_text()
        assert tries_left, f"{PORTS_TRIED} ports were taken"


async def _start(command: tuple[str, ...], variables: Mapping[str, str], folder: Path, log: Path) -> Child:
    # Straight into the file: what was printed before the process asked for an event stands there by then.
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=dict(variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Child(process, LogFile(log))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
