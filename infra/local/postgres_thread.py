"""A PostgreSQL server for the length of a block, for callers that have no event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from infra.local.postgres import Postgres


@contextmanager
def serving(server: Postgres) -> Iterator[str]:
    """Start the server, yield the superuser's URL, and stop it."""
    loop = asyncio.new_event_loop()
    # The loop runs all the time: a log that nobody reads would stop the server when its pipe is full.
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.run_coroutine_threadsafe(server.start(), loop)
    try:
        starting.result()
        yield server.url()
    finally:
        # Ctrl-C comes while it starts, too; what goes on in a loop that is closed ends in a traceback.
        starting.cancel()
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
