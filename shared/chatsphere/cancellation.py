"""Ending a call that another thread is waiting in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class CallCancelledError(Exception):
    """The call was ended because its cancellation was asked for."""


class Cancellation:
    """Whether a call is to be ended. Any thread may ask for it, once and for all; who makes the call says how."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requested = False
        self._interrupts: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether somebody asked for the end."""
        return self._requested

    def cancel(self) -> None:
        """Ask for the end. What is being waited for is interrupted at once."""
        with self._lock:
            self._requested = True
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    def check(self) -> None:
        """Raise CallCancelledError if somebody asked for the end."""
        if self._requested:
            raise CallCancelledError

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Have `interrupt` called, by whatever thread cancels, while the block runs; at once where one did before.

        It must return at once, and bear being called when there is nothing to interrupt.
        """
        with self._lock:
            self._interrupts.append(interrupt)
            requested = self._requested
        if requested:
            interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
