"""A PostgreSQL server for the length of a block, for callers that have no event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from infra.local.postgres import Postgres


@contextmanager
def serving(server: Postgres) -> Iterator[str]:
    """Start the server, yield the superuser's URL, and stop it."""
    loop = asyncio.new_event_loop()
    # The loop runs all the time: a log that nobody reads would stop the server when its pipe is full.
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    served = _Served(server)
    try:
        asyncio.run_coroutine_threadsafe(served.start(), loop).result()
        yield server.url()
    finally:
        asyncio.run_coroutine_threadsafe(served.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(slots=True)
class _Served:
    """A server whose start may be given up at any moment: Ctrl-C also comes before the caller knows of the start."""

    server: Postgres
    _starting: asyncio.Task[Any] | None = None

    async def start(self) -> None:
        self._starting = asyncio.current_task()
        await self.server.start()

    async def stop(self) -> None:
        """Stop it; what goes on in a loop that is closed would end in a traceback."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await self.server.stop()
