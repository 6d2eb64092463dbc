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

    A worker is listed as often as it listens. `on_shortage` is called when an invocation has to wait, or to share its
    worker.
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

    @property
    def crowded(self) -> bool:
        """Whether whatever comes next has to share its worker."""
        return bool(self._listening) and all(worker.load for worker in self._listening)

    def submit(self, invocation: Invocation) -> None:
        """Give an invocation to a worker, now or when one becomes free."""
        self._listening = [worker for worker in self._listening if worker.listening]
        if self._listening:
            # Of those with the least to do the one that worked last: the others then have nothing to do for long enough
            # to be ended.
            worker = min(reversed(self._listening), key=lambda each: each.load)
            self._take_off(worker)
            if worker.load:
                self._on_shortage()
            worker.assign(invocation)
            return
        self._waiting.append(invocation)
        asyncio.get_running_loop().call_later(self._patience_seconds, self._lose_patience, invocation)
        self._on_shortage()

    async def next_invocation(self, worker: Worker) -> Invocation:
        """Return the next invocation for a worker that has become free."""
        upcoming = worker.begin_listening()
        # One that is being ended may ask once more, for it had just answered: it is given nothing.
        while self._waiting and not worker.retired:
            invocation = self._waiting.popleft()
            if not invocation.settled:
                worker.assign(invocation)
                break
        else:
            if not worker.retired:
                self._listening.append(worker)
        try:
            return await upcoming
        except asyncio.CancelledError:
            # The process asks no longer.
            self._take_off(worker)
            if upcoming.done() and not upcoming.cancelled():
                self.take_back(worker, upcoming.result())
            raise

    def take_back(self, worker: Worker, invocation: Invocation) -> None:
        """Give an invocation that never reached the worker's process to another, and to that one nothing more."""
        self.forget(worker)
        worker.drop(invocation)
        if not invocation.settled:
            self.submit(invocation)

    def forget(self, worker: Worker) -> None:
        """Give nothing more to a worker."""
        self._listening = [each for each in self._listening if each is not worker]

    def idle_longer_than(self, seconds: float) -> list[Worker]:
        """Return the workers that have listened in vain for so long."""
        idle = [worker for worker in self._listening if not worker.load]
        return [worker for worker in dict.fromkeys(idle) if time.monotonic() - worker.idle_since > seconds]

    def fail_waiting(self, error: InvocationError) -> None:
        """Fail every invocation that waits."""
        while self._waiting:
            self._waiting.popleft().fail(error)

    def _take_off(self, worker: Worker) -> None:
        """Note that the worker listens once less."""
        for place in reversed(range(len(self._listening))):
            if self._listening[place] is worker:
                del self._listening[place]
                return

    def _lose_patience(self, invocation: Invocation) -> None:
        if invocation in self._waiting:
            self._waiting.remove(invocation)
            invocation.fail(TimedOutError(f"{self._function}: no worker became free"))
