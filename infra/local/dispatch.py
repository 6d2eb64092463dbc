"""Brings a function's invocations and its workers together."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from infra.local.errors import InvocationError, TimedOutError
from infra.local.invocations import Invocation
from infra.local.worker import Worker


class Dispatch:
    """The workers that listen, and the invocations that wait for one. One of the two is always empty.

    `on_shortage` is called when an invocation has to wait.
    """

    def __init__(self, function: str, patience_seconds: float, on_shortage: Callable[[], None]) -> None:
        self._function = function
        self._patience_seconds = patience_seconds
        self._on_shortage = on_shortage
        self._listening: list[Worker] = []
        self._waiting: deque[Invocation] = deque()

    @property
    def waiting(self) -> int:
        """How many invocations wait for a worker."""
        return len(self._waiting)

    def submit(self, invocation: Invocation) -> None:
        """Give an invocation to a worker, now or when one becomes free."""
        while self._listening:
            # The one that worked last: the others then have nothing to do for long enough to be ended.
            worker = self._listening.pop()
            if worker.listening:
                worker.assign(invocation)
                return
        self._waiting.append(invocation)
        asyncio.get_running_loop().call_later(self._patience_seconds, self._lose_patience, invocation)
        self._on_shortage()

    async def next_invocation(self, worker: Worker) -> Invocation:
        """Return the next invocation for a worker that has become free."""
        upcoming = worker.begin_listening()
        while self._waiting:
            invocation = self._waiting.popleft()
            if not invocation.settled:
                worker.assign(invocation)
                break
        else:
            self._listening.append(worker)
        return await upcoming

    def forget(self, worker: Worker) -> None:
        """Give nothing more to a worker."""
        if worker in self._listening:
            self._listening.remove(worker)

    def idle_longer_than(self, seconds: float) -> list[Worker]:
        """Return the workers that have listened in vain for so long."""
        return [worker for worker in self._listening if time.monotonic() - worker.idle_since > seconds]

    def fail_waiting(self, error: InvocationError) -> None:
        """Fail every invocation that waits."""
        while self._waiting:
            self._waiting.popleft().fail(error)

    def _lose_patience(self, invocation: Invocation) -> None:
        if invocation in self._waiting:
            self._waiting.remove(invocation)
            invocation.fail(TimedOutError(f"{self._function}: no worker became free"))
