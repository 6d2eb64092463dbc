"""Work in a thread that the process does not wait for when it ends."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


async def in_daemon_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread. Cancelled, it leaves the thread to itself: a vendor that hangs must not hold up Ctrl-C.

    `asyncio.to_thread` would have the event loop wait for it at the end.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            work()
        except Exception as raised:  # whatever it is, whoever waits is told
            error = raised
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, error)

    Thread(target=run, daemon=True).start()
    await ended
