"""One HTTP request and its response, between the gateway and the ASGI server."""

import json
import uuid
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from chatsphere.errors import ChatSphereError, PayloadTooLargeError
from chatsphere.http.openai_errors import gateway_problem
from chatsphere.http.problem import CONTENT_TYPE, problem_headers
from infra.local.errors import FunctionFailedError
from infra.local.http_server import Receive, Send
from infra.local.invocations import ResponseStream
from infra.local.rest_events import Answer, Headers, Request, response_headers, response_status
from infra.local.routing import MethodNotAllowedError

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_PRELUDE_BYTES = 1024 * 1024
SEPARATOR = b"\0" * 8


class ClientLeftError(Exception):
    """The client closed the connection before it had sent the whole request."""


class Exchange:
    """Reads the request and sends exactly one response, with its X-Request-Id."""

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.status = 0
        self.request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            source_ip=scope["client"][0] if scope["client"] else "127.0.0.1",
            request_id=str(uuid.uuid4()),
            received=datetime.now(UTC),
        )

    async def read_body(self) -> bytes:
        """Return the request's body.

        Raises:
            PayloadTooLargeError: it exceeds what API Gateway takes; no more than that is kept in memory.
            ClientLeftError: it will never be complete.
        """
        declared = self.request.header("content-length") or "0"
        body = bytearray()
        more = declared.isdigit() and int(declared) <= MAX_BODY_BYTES
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            body += message.get("body", b"")
            more = bool(message.get("more_body")) and len(body) <= MAX_BODY_BYTES
        if int(declared) > MAX_BODY_BYTES or len(body) > MAX_BODY_BYTES:
            raise PayloadTooLargeError(f"The body exceeds {MAX_BODY_BYTES} bytes")
        return bytes(body)

    async def send_answer(self, answer: Answer) -> None:
        """Send a whole response."""
        length = ("content-length", str(len(answer.body)))
        await self._start(answer.status, [*answer.headers, length])
        await self._send({"type": "http.response.body", "body": answer.body})

    async def send_problem(self, error: ChatSphereError) -> None:
        """Send an error of the gateway's own as a problem document."""
        headers = [("content-type", CONTENT_TYPE), *problem_headers(error).items()]
        if isinstance(error, MethodNotAllowedError):
            headers.append(("allow", ", ".join(error.allowed)))
        body = json.dumps(gateway_problem(error, self.request.request_id)).encode()
        await self.send_answer(Answer(error.status, headers, body))

    async def forward(self, stream: ResponseStream) -> None:
        """Send a streamed response on as it arrives, until it ends or the client has left."""
        try:
            await self._forward(stream)
        finally:
            stream.abandon()

    async def _forward(self, stream: ResponseStream) -> None:
        head = b""
        chunks = aiter(stream)
        while SEPARATOR not in head and len(head) < MAX_PRELUDE_BYTES:
            try:
                head += await anext(chunks)
            except StopAsyncIteration:
                break
        status, headers, rest = _split(head)
        await self._start(status, headers)
        await self._send({"type": "http.response.body", "body": rest, "more_body": True})
        async for chunk in chunks:
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: Headers) -> None:
        named = {name.lower() for name, _ in headers}
        given = [] if "x-request-id" in named else [("x-request-id", self.request.request_id)]
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        encoded += [(name.encode(), value.encode()) for name, value in given]
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})


def _split(head: bytes) -> tuple[int, Headers, bytes]:
    """Separate a streamed response's prelude from the body's first bytes."""
    prelude, _, rest = head.partition(SEPARATOR)
    try:
        described = json.loads(prelude)
        return response_status(described), response_headers(described), rest
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FunctionFailedError("the stream does not begin with a prelude") from None
