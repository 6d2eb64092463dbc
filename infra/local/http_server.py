"""Loopback HTTP servers for ASGI applications, inside this process's event loop."""

import asyncio
import logging
import select
import socket
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from infra.local.console import complain

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

LEFT = "left"
"""In a request's `scope["state"]`: a function that tells whether whoever waits for the response has closed the
connection. It is asked when the whole request has been read."""

# What an application raises is reported below; a cut-off response is on purpose.
logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


class HttpServer:
    """Serves one application on any number of sockets, added and removed while it runs.

    uvicorn's own `Server` takes over signals, ticks ten times a second, and cannot add a socket later.
    """

    def __init__(self, application: Application, *, keep_alive_seconds: int = 75) -> None:
        self._application = application
        self._config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=keep_alive_seconds,
        )
        self._config.load()
        self._state = ServerState()
        self._listeners: list[asyncio.Server] = []

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Serve connections of a listening socket until the returned server is closed."""
        server = await asyncio.get_running_loop().create_server(self._connection, sock=listener)
        self._listeners.append(server)
        return server

    async def close(self, within: float = 1.0) -> None:
        """Stop listening, let requests under way end `within` seconds, then cut them off."""
        for server in self._listeners:
            server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=within)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def _serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except Exception:
            complain(f"a request could not be answered:\n{traceback.format_exc()}")
            raise

    def _connection(self) -> asyncio.Protocol:
        return _Connection(config=self._config, server_state=self._state, app_state={})


class _Connection(H11Protocol):
    """Tells the application, in the scope's state, what the loop may not have heard of yet: `LEFT`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state[LEFT] = lambda: _closed_by_peer(transport)


def _closed_by_peer(transport: asyncio.Transport) -> bool:
    """Ask the kernel; only where the other side has nothing more to send, so that what can be read is the end."""
    if transport.is_closing():
        return True
    asking = select.poll()
    asking.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(asking.poll(0))
