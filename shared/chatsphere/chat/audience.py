"""Whoever waits for an answer, as far as the platform tells whether they are still there."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from chatsphere.cancellation import Cancellation


class Audience:
    """The client of one answer. The thread that serves it says when it leaves.

    One that `comes_back`, to ask for the same answer once more, leaves nothing that could be stopped.
    """

    def __init__(self, *, comes_back: bool = False) -> None:
        self._leaving = Cancellation()
        self._comes_back = comes_back

    @property
    def has_left(self) -> bool:
        """Whether nobody hears the answer any more."""
        return self._leaving.requested

    def leave(self) -> None:
        """Nobody hears the answer any more."""
        self._leaving.cancel()

    def on_leave(self, act: Callable[[], None]) -> AbstractContextManager[None]:
        """Have `act` called when the client leaves for good while the block runs; at once where it has left before."""
        return nullcontext() if self._comes_back else self._leaving.interrupting(act)
