"""Every runtime keeps the Runtime API's contract; on Linux the ones of other systems are tried too."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from infra.catalog import FunctionSpec, HttpTrigger
from infra.local.child import Child, start_child
from infra.local.environment import function_environment
from infra.local.errors import FunctionFailedError, FunctionStartError, WorkerDiedError
from infra.local.home import Home
from infra.local.invocations import Invocation
from infra.local.launcher import REPOSITORY
from infra.local.log_file import LogFile
from infra.local.ports import LOOPBACK
from infra.local.runtime_api import RuntimeApi
from infra.local.web_adapter import Connection
from infra.local.worker import Worker
from infra.local.workers import WorkerPool
from tests.waiting import wait_for

HERE = Path(__file__).parent
HANDLERS = ("awslambdaric", "infra.local.runtime_client")
REQUEST = {"httpMethod": "POST", "path": "/", "requestContext": {"requestId": "r"}}
Result = TypeVar("Result")

handler_runtimes = pytest.mark.parametrize("runtime", HANDLERS if sys.platform == "linux" else HANDLERS[1:])


def with_pool(runtime: str, code: Path, folder: Path, use: Callable[[WorkerPool], Awaitable[Result]]) -> Result:
    """Run `use` with a pool of the function in `code` under a runtime."""
    spec = FunctionSpec("f", HttpTrigger(()), settings=(), memory_mb=256)
    environment = function_environment(spec, folder=code, python_path=(), home=Home(folder), values={})

    async def scenario() -> Result:
        api = RuntimeApi()

        async def start(pool: WorkerPool, worker: Worker) -> Child:
            address = {"AWS_LAMBDA_RUNTIME_API": await api.open(pool, worker)}
            entry = "handler.app" if runtime == "infra.local.web_adapter" else "handler.handler"
            log = LogFile(folder / "log")
            return await start_child([runtime, entry], environment=environment | address, folder=code, log=log)

        pool = WorkerPool("f", timeout_seconds=30, max_workers=2, start_process=start, start_slots=asyncio.Semaphore(2))
        try:
            return await use(pool)
        finally:
            await pool.stop()
            await api.close()

    return asyncio.run(scenario())


@handler_runtimes
def test_events_and_errors(runtime: str, folder: Path) -> None:
    async def use(pool: WorkerPool) -> dict[str, Any]:
        await pool.start()
        with pytest.raises(FunctionFailedError, match="ValueError: on purpose"):
            await pool.invoke(json.dumps({"queryStringParameters": {"do": "raise"}}).encode())
        with pytest.raises(WorkerDiedError):
            await pool.invoke(json.dumps({"queryStringParameters": {"do": "die"}}).encode())
        result: dict[str, Any] = json.loads(await pool.invoke(json.dumps({"a": "ü"}).encode()))
        return result

    result = with_pool(runtime, HERE / "functions" / "echo", folder, use)
    body = json.loads(result["body"])
    assert body["event"] == {"a": "ü"}
    assert len(body["id"]) == 36


@pytest.mark.parametrize("runtime", [*HANDLERS, "infra.local.web_adapter"])
def test_handler_that_cannot_be_imported(runtime: str, folder: Path) -> None:
    (folder / "handler.py").write_text("import a_module_that_is_missing\n")
    with pytest.raises(FunctionStartError, match=r"f could not start: .*a_module_that_is_missing"):
        with_pool(runtime, folder, folder, lambda pool: pool.start())


@pytest.mark.parametrize("runtime", [*HANDLERS, "infra.local.web_adapter"])
def test_process_that_ends_at_once(runtime: str, folder: Path) -> None:
    (folder / "handler.py").write_text("import os; print('last words', flush=True); os._exit(3)\n")
    with pytest.raises(FunctionStartError, match="last words"):
        with_pool(runtime, folder, folder, lambda pool: pool.start())


@pytest.mark.parametrize("runtime", ["infra.local.runtime_client", "infra.local.web_adapter"])
def test_nobody_gets_the_error_of_a_process_that_ended_before_they_asked(runtime: str, folder: Path) -> None:
    async def use(pool: WorkerPool) -> bytes:
        await pool.start()
        (idle,) = pool.dispatch.idle_longer_than(-1)
        assert idle.child is not None
        # The loop stands still meanwhile: it hears of the end when the request is there.
        os.kill(idle.child.pid, signal.SIGKILL)
        wait_for(lambda: has_ended(idle.child), what="the worker's end")
        return await pool.invoke(json.dumps(REQUEST).encode())

    code = HERE / "functions" / ("stream" if runtime == "infra.local.web_adapter" else "echo")
    assert with_pool(runtime, code, folder, use)


def has_ended(child: Child | None) -> bool:
    try:
        return child is None or psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_process_that_cuts_a_response_off_without_a_word_is_given_nothing_more() -> None:
    async def scenario() -> tuple[int, int]:
        api, slots = RuntimeApi(), asyncio.Semaphore(1)
        pool = WorkerPool("f", timeout_seconds=30, max_workers=0, start_process=nothing_starts, start_slots=slots)
        worker = Worker("f", 30, capacity=2)
        port = int((await api.open(pool, worker)).rpartition(":")[2])
        try:
            # Given a process that is at one request and asks for a second
            first = await asking(port)
            while not pool.dispatch.idle_longer_than(-1):
                await asyncio.sleep(0)
            answering = asyncio.ensure_future(pool.invoke(b"{}"))
            _, headers, _ = await first.receive()
            second = await asking(port)
            while not pool.dispatch.crowded:
                await asyncio.sleep(0)
            # When the first's answer ends in its middle
            await answer_half(port, headers["lambda-runtime-aws-request-id"])
            with pytest.raises(FunctionFailedError, match="cut its response off"):
                await answering
            # Then whoever comes then waits for another process
            pool.dispatch.submit(Invocation(b"{}"))
            second.writer.close()
            return worker.load, pool.dispatch.waiting
        finally:
            await api.close()

    assert asyncio.run(scenario()) == (0, 1)


async def nothing_starts(_pool: WorkerPool, _worker: Worker) -> Child:
    raise AssertionError


async def asking(port: int) -> Connection:
    """Ask for work, as a runtime does."""
    connection = Connection(*await asyncio.open_connection(LOOPBACK, port))
    await connection.send_head("GET", "/invocation/next", {})
    return connection


async def answer_half(port: int, request_id: str) -> None:
    connection = Connection(*await asyncio.open_connection(LOOPBACK, port))
    headers = {"Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked"}
    await connection.send_head("POST", f"/invocation/{request_id}/response", headers)
    await connection.send_chunk(b"half")
    connection.writer.close()


def test_function_without_a_folder(folder: Path) -> None:
    with pytest.raises(FunctionStartError, match="nowhere"):
        with_pool("infra.local.runtime_client", folder / "nowhere", folder, lambda pool: pool.start())


@handler_runtimes
def test_response_beyond_lambdas_limit(runtime: str, folder: Path) -> None:
    (folder / "handler.py").write_text("def handler(event, context): return 'x' * 7_000_000\n")

    async def use(pool: WorkerPool) -> None:
        await pool.start()
        await pool.invoke(b"{}")

    with pytest.raises(FunctionFailedError, match="6 MB"):
        with_pool(runtime, folder, folder, use)


def test_workers_without_work_are_ended_but_for_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.workers.IDLE_SECONDS", -1)
    (meeting := folder / "meeting").mkdir()
    meet = json.dumps({"queryStringParameters": {"do": "meet", "folder": str(meeting)}}).encode()

    async def pid(pool: WorkerPool, event: bytes) -> int:
        return int(json.loads(json.loads(await pool.invoke(event))["body"])["pid"])

    async def use(pool: WorkerPool) -> tuple[set[int], set[int]]:
        await pool.start()
        busy = set(await asyncio.gather(pid(pool, meet), pid(pool, meet)))
        while len(pool.dispatch.idle_longer_than(-1)) < 2:
            await asyncio.sleep(0)
        pool.retire_idle()
        return busy, {await pid(pool, b"{}") for _ in range(3)}

    busy, left = with_pool(HANDLERS[-1], HERE / "functions" / "echo", folder, use)
    assert len(busy) == 2
    assert len(left) == 1
    assert left < busy


def test_a_long_idle_worker_that_has_worked_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.workers.REFRESH_SECONDS", -1)

    async def pid(pool: WorkerPool) -> int:
        return int(json.loads(json.loads(await pool.invoke(b"{}"))["body"])["pid"])

    async def use(pool: WorkerPool) -> tuple[int, int]:
        await pool.start()
        pool.retire_idle()  # it has not worked yet: it stays
        assert len(pool.dispatch.idle_longer_than(-1)) == 1
        first = await pid(pool)
        while not pool.dispatch.idle_longer_than(-1):
            await asyncio.sleep(0)
        pool.retire_idle()
        return first, await pid(pool)

    first, second = with_pool(HANDLERS[-1], HERE / "functions" / "echo", folder, use)
    assert first != second


def test_without_a_death_signal_a_process_ends_with_its_standard_input() -> None:
    code = "import threading; from infra.local.launcher import end_at_eof; end_at_eof(); threading.Event().wait()"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == -9
