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
    """Runs one invocation at a time.

    `ready` ends when the process asks for its first event, or with the error that kept it from that.
    `useful` says whether it ever had an invocation.
    `release` gives back what was set up for the process; called when it has ended.
    """

    def __init__(self, function: str, timeout_seconds: float) -> None:
        self.function = function
        self.child: Child | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.current: Invocation | None = None
        self.init_error = ""
        self.retired = False
        self.useful = False
        self.release: Callable[[], None] = lambda: None
        self.idle_since = 0.0
        self._timeout_seconds = timeout_seconds
        self._next: asyncio.Future[Invocation] | None = None

    @property
    def listening(self) -> bool:
        """Whether the process waits for an invocation at this moment."""
        return self._next is not None and not self._next.done()

    def begin_listening(self) -> asyncio.Future[Invocation]:
        """Return what will be the next invocation; the previous one fails if it was not answered."""
        self.give_up(WorkerDiedError(f"{self.function}: the worker asked for work without answering"))
        if not self.ready.done():
            self.ready.set_result(None)
        self.idle_since = time.monotonic()
        self._next = asyncio.get_running_loop().create_future()
        return self._next

    def assign(self, invocation: Invocation) -> None:
        """Hand the process an invocation; its time begins."""
        if self._next is None:
            raise RuntimeError("the worker does not listen")
        self.current = invocation
        self.useful = True
        invocation.deadline = time.time() + self._timeout_seconds
        asyncio.get_running_loop().call_later(self._timeout_seconds, self._time_out, invocation)
        self._next.set_result(invocation)

    def give_up(self, error: InvocationError) -> None:
        """Fail the invocation that the process holds, unless it is answered."""
        invocation, self.current = self.current, None
        if invocation is not None and not invocation.settled:
            invocation.fail(error)

    def _time_out(self, invocation: Invocation) -> None:
        if self.current is not invocation or invocation.settled:
            return
        message = f"{self.function}: no answer within {self._timeout_seconds:g} s"
        say(f"{message}; the worker is replaced")
        invocation.fail(TimedOutError(message))
        if self.child is not None:
            self.child.send(signal.SIGKILL)
