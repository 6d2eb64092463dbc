"""A server for callers without an event loop, and Ctrl-C while it starts."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.postgres_thread import serving


class NeverReady:
    """Somebody presses Ctrl-C while it starts."""

    given_up = False

    async def start(self) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise

    async def stop(self) -> None:
        """There is nothing to stop."""


@pytest.fixture
def at_a_terminal() -> Iterator[None]:
    """What runs the tests in the background may have had SIGINT ignored, which children inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("at_a_terminal")
def test_a_start_that_is_interrupted_does_not_go_on() -> None:
    server: Any = NeverReady()
    with pytest.raises(KeyboardInterrupt), serving(server):
        pass
    assert server.given_up
