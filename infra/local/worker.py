"""One worker process of a function, as its pool and its Runtime API see it."""

import asyncio
import signal
import time
from collections.abc import Callable

from infra.local.child import Child
from infra.local.console import say
from infra.local.errors import InvocationError, TimedOutError, WorkerDiedError
from infra.local.invocations import Invocation


class Worker:
    """Runs up to `capacity` invocations at a time: as many as the process asks for before it answers the first.

    `ready` ends when the process asks for its first event, or with the error that kept it from that.
    `useful` says whether it ever had an invocation.
    `release` gives back what was set up for the process; called when it has ended.
    """

    def __init__(self, function: str, timeout_seconds: float, capacity: int = 1) -> None:
        self.function = function
        self.child: Child | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.init_error = ""
        self.retired = False
        self.useful = False
        self.release: Callable[[], None] = lambda: None
        self.idle_since = 0.0
        self._timeout_seconds = timeout_seconds
        self._capacity = capacity
        self._held: dict[str, Invocation] = {}
        self._upcoming: list[asyncio.Future[Invocation]] = []

    @property
    def listening(self) -> bool:
        """Whether the process waits for an invocation at this moment."""
        return any(not each.done() for each in self._upcoming)

    @property
    def load(self) -> int:
        """How many invocations the process is at."""
        return sum(not invocation.settled for invocation in self._held.values())

    def holding(self, request_id: str) -> Invocation | None:
        """Return the invocation of this id, if the process is at it."""
        invocation = self._held.get(request_id)
        return None if invocation is None or invocation.settled else invocation

    def begin_listening(self) -> asyncio.Future[Invocation]:
        """Return what will be the next invocation; where the process is full, what it holds was not answered."""
        self._held = {key: invocation for key, invocation in self._held.items() if not invocation.settled}
        if len(self._held) >= self._capacity:
            self.give_up(WorkerDiedError(f"{self.function}: the worker asked for work without answering"))
        if not self.ready.done():
            self.ready.set_result(None)
        self.idle_since = time.monotonic()
        upcoming: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        self._upcoming = [each for each in self._upcoming if not each.done()] + [upcoming]
        return upcoming

    def assign(self, invocation: Invocation) -> None:
        """Hand the process an invocation; its time begins."""
        upcoming = next((each for each in self._upcoming if not each.done()), None)
        if upcoming is None:
            raise RuntimeError("the worker does not listen")
        self._held[invocation.request_id] = invocation
        self.useful = True
        invocation.deadline = time.time() + self._timeout_seconds
        asyncio.get_running_loop().call_later(self._timeout_seconds, self._time_out, invocation)
        upcoming.set_result(invocation)

    def drop(self, invocation: Invocation) -> None:
        """Hold the invocation no longer: the process never had it."""
        self._held.pop(invocation.request_id, None)

    def give_up(self, error: InvocationError) -> None:
        """Fail the invocations that the process holds, unless they are answered."""
        held, self._held = self._held, {}
        for invocation in held.values():
            if not invocation.settled:
                invocation.fail(error)

    def _time_out(self, invocation: Invocation) -> None:
        if self.holding(invocation.request_id) is None:
            return
        message = f"{self.function}: no answer within {self._timeout_seconds:g} s"
        say(f"{message}; the worker is replaced")
        invocation.fail(TimedOutError(message))
        if self.child is not None:
            self.child.send(signal.SIGKILL)
