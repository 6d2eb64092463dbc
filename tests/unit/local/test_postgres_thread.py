"""A server for callers without an event loop, and Ctrl-C while it starts."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from infra.local.postgres_thread import serving


class NeverReady:
    """Starts for ever."""

    given_up = False

    async def start(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise

    async def stop(self) -> None:
        """There is nothing to stop."""


class Interrupted(NeverReady):
    """Somebody presses Ctrl-C while it starts."""

    async def start(self) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        await super().start()


@pytest.fixture
def at_a_terminal() -> Iterator[None]:
    """What runs the tests in the background may have had SIGINT ignored, which children inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("at_a_terminal")
def test_a_start_that_is_interrupted_does_not_go_on() -> None:
    server: Any = Interrupted()
    with pytest.raises(KeyboardInterrupt), serving(server):
        pass
    assert server.given_up


def test_a_start_that_is_interrupted_before_its_caller_knows_of_it_does_not_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit, server = asyncio.run_coroutine_threadsafe, cast("Any", NeverReady())

    def interrupted(*asked: Any) -> None:
        monkeypatch.undo()
        submit(*asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
    with pytest.raises(KeyboardInterrupt), serving(server):
        pass
    assert server.given_up
