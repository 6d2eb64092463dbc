"""The worker processes of one function: started on demand, replaced when they die, ended when idle."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from infra.local.child import Child
from infra.local.console import say
from infra.local.dispatch import Dispatch
from infra.local.errors import FunctionStartError, InvocationError, WorkerDiedError
from infra.local.invocations import Invocation, ResponseStream
from infra.local.worker import Worker

START_SECONDS = 60.0
IDLE_SECONDS = 60.0
REFRESH_SECONDS = 300.0
GROW_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 10.0

StartProcess = Callable[["WorkerPool", Worker], Awaitable[Child]]


class WorkerPool:
    """All workers of one function, each for up to `capacity` invocations at a time.

    `start_slots` limits how many start at once in the whole instance.
    """

    def __init__(
        self,
        name: str,
        *,
        timeout_seconds: float,
        max_workers: int,
        capacity: int = 1,
        start_process: StartProcess,
        start_slots: asyncio.Semaphore,
    ) -> None:
        self.name = name
        self.dispatch = Dispatch(name, timeout_seconds, self._grow_soon)
        self._timeout_seconds = timeout_seconds
        self._max_workers = max_workers
        self._capacity = capacity
        self._start_process = start_process
        self._start_slots = start_slots
        self._workers: list[Worker] = []
        self._tasks: set[asyncio.Future[None]] = set()
        self._growing: asyncio.TimerHandle | None = None
        self._useless = 0
        self._stopping = False

    async def start(self) -> None:
        """Start the first worker and wait until it asks for work.

        Raises:
            FunctionStartError: it did not come so far; the message says why.
        """
        await self._add_worker().ready

    async def invoke(self, event: bytes) -> bytes:
        """Run the function on `event` and return its whole response.

        Raises:
            InvocationError: there is no response; the type says why.
        """
        stream = await self.stream(event)
        return b"".join([chunk async for chunk in stream])

    async def stream(self, event: bytes) -> ResponseStream:
        """Run the function on `event` and return its response as soon as it begins.

        Raises:
            InvocationError: there is no response; the type says why.
        """
        invocation = Invocation(event)
        self.dispatch.submit(invocation)
        try:
            return await invocation.response
        except asyncio.CancelledError:
            invocation.fail(InvocationError("nobody waits for the response"))
            raise

    def retire_idle(self) -> None:
        """End workers beyond the first that had nothing to do for a while, as Lambda does.

        The first is replaced by a fresh one when it has long been idle: what it had loaded (a model, a parser)
        is most of the memory of the whole tree.
        """
        for worker in self.dispatch.idle_longer_than(IDLE_SECONDS):
            if len(self._workers) > 1:
                self._retire(worker)
        for worker in self.dispatch.idle_longer_than(REFRESH_SECONDS):
            if worker.useful:
                self._retire(worker)
                self._add_worker()

    def _retire(self, worker: Worker) -> None:
        if worker.child is not None:
            worker.retired = True
            self._workers.remove(worker)
            self.dispatch.forget(worker)
            self._keep(worker.child.stop())

    async def stop(self) -> None:
        """End every worker; what waits or runs fails."""
        self._stopping = True
        if self._growing is not None:
            self._growing.cancel()
        self.dispatch.fail_waiting(WorkerDiedError(f"{self.name}: the instance is stopping"))
        await asyncio.gather(*(worker.child.stop() for worker in self._workers if worker.child is not None))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _grow_soon(self) -> None:
        """A new process costs more than most invocations: it is started only if none becomes free at once."""
        if self._growing is None and len(self._workers) < self._max_workers and not self._stopping:
            self._growing = asyncio.get_running_loop().call_later(GROW_SECONDS, self._grow)

    def _grow(self) -> None:
        self._growing = None
        starting = sum(not worker.ready.done() for worker in self._workers)
        needed = self.dispatch.waiting or int(self.dispatch.crowded)
        if needed > starting and len(self._workers) < self._max_workers:
            self._add_worker()
            self._grow_soon()

    def _add_worker(self) -> Worker:
        worker = Worker(self.name, self._timeout_seconds, self._capacity)
        self._workers.append(worker)
        self._keep(self._run(worker))
        return worker

    async def _run(self, worker: Worker) -> None:
        """Start one process and see it through to its end."""
        async with self._start_slots:
            try:
                worker.child = await self._start_process(self, worker)
            except OSError as error:
                worker.init_error = str(error)
                self._on_end(worker, 1)
                return
            ended = asyncio.ensure_future(worker.child.wait())
            first: list[asyncio.Future[Any]] = [worker.ready, ended]
            await asyncio.wait(first, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not worker.ready.done() and not ended.done():
            worker.init_error = f"it did not ask for work within {START_SECONDS:g} s"
            worker.child.send(signal.SIGKILL)
        self._on_end(worker, await ended)

    def _on_end(self, worker: Worker, code: int) -> None:
        worker.release()
        worker.give_up(WorkerDiedError(f"{self.name}: the worker ended (exit code {code})"))
        self.dispatch.forget(worker)
        if self._stopping or worker.retired:
            return
        self._workers.remove(worker)
        self._useless = 0 if worker.useful else self._useless + 1
        output = worker.child.log.tail() if worker.child is not None else ""
        if worker.ready.done():
            say(f"{self.name}: a worker ended (exit code {code}) and is replaced; its last output:\n{output}")
        else:
            self._note_failed_start(worker, f"{self.name} could not start: {worker.init_error or output or code}")
        self._keep(self._replace())

    def _note_failed_start(self, worker: Worker, message: str) -> None:
        say(message)
        worker.ready.set_exception(FunctionStartError(message))
        worker.ready.exception()  # marks it as seen: not every worker's start is waited for
        self.dispatch.fail_waiting(WorkerDiedError(message))

    async def _replace(self) -> None:
        """Start another worker if there is none or work waits; later and later if they end before they did any."""
        if self._useless:
            await asyncio.sleep(min(MAX_BACKOFF_SECONDS, 0.1 * 2**self._useless))
        if not self._workers or (self.dispatch.waiting and len(self._workers) < self._max_workers):
            self._add_worker()

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
