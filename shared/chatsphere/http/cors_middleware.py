"""The same for an ASGI application."""

from collections.abc import Callable, Set

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatsphere.http.cors import cors_headers


class CorsHeaders:
    """Adds the headers to every answer. `allowed` is asked with each request: importing an app needs no environment."""

    def __init__(self, app: ASGIApp, allowed: Callable[[], Set[str]]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = cors_headers(Headers(scope=scope).get("origin"), self._allowed())

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
