"""A small stand-in for the AWS Lambda Web Adapter in response-streaming mode.

Turns each API Gateway REST event into a call of the handler module's ASGI application, in this process, and
streams its response back to the Runtime API: a JSON prelude, eight NUL bytes, then the body in chunks.
"""

import asyncio
import base64
import importlib
import json
import os
import traceback
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlencode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

PREFIX = "/2018-06-01/runtime"
CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
SEPARATOR = b"\0" * 8
CONTEXT_HEADERS = (b"x-amzn-request-context", b"x-amzn-lambda-context")


class Connection:
    """One request to the Runtime API. There are few at a time, so a connection each is cheap enough."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send_head(self, method: str, path: str, headers: dict[str, str]) -> None:
        """Send the request line and headers."""
        lines = [f"{method} {PREFIX}{path} HTTP/1.1", "Host: runtime", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()

    async def send_chunk(self, data: bytes) -> None:
        """Send one chunk; an empty one ends the body."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.writer.drain()

    async def receive(self) -> tuple[int, dict[str, str], bytes]:
        """Return the answer's status, headers and body."""
        status = int((await self.reader.readline()).split()[1])
        headers: dict[str, str] = {}
        while line := (await self.reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))


class Response:
    """Receives the application's ASGI messages and streams them to the Runtime API."""

    def __init__(self, connection: Connection, request_id: str) -> None:
        self._connection = connection
        self._request_id = request_id

    async def send(self, message: Message) -> None:
        """Take one ASGI message."""
        if message["type"] == "http.response.start":
            headers = {
                "Content-Type": CONTENT_TYPE,
                "Lambda-Runtime-Function-Response-Mode": "streaming",
                "Transfer-Encoding": "chunked",
            }
            await self._connection.send_head("POST", f"/invocation/{self._request_id}/response", headers)
            await self._connection.send_chunk(prelude(message["status"], message.get("headers", [])) + SEPARATOR)
        elif message.get("body"):
            await self._connection.send_chunk(message["body"])


def prelude(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the JSON that precedes a streamed body."""
    many: dict[str, list[str]] = {}
    cookies: list[str] = []
    for name, value in headers:
        if name.lower() == b"set-cookie":
            cookies.append(value.decode("latin-1"))
        else:
            many.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    one = {name: values[-1] for name, values in many.items()}
    content = {"statusCode": status, "headers": one, "multiValueHeaders": many, "cookies": cookies}
    return json.dumps(content).encode()


def http_scope(event: dict[str, Any], lambda_context: dict[str, Any]) -> Message:
    """Return the ASGI scope of an API Gateway REST event. The context headers are the adapter's, never a client's."""
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, values in (event.get("multiValueHeaders") or {}).items()
        for value in values
        if name.lower().encode("latin-1") not in CONTEXT_HEADERS
    ]
    contexts = (event["requestContext"], lambda_context)
    headers += [(name, json.dumps(c).encode()) for name, c in zip(CONTEXT_HEADERS, contexts, strict=True)]
    query = urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": event["httpMethod"],
        "scheme": "http",
        "path": unquote(event["path"]),
        "raw_path": quote(event["path"], safe="/%:@!$&'()*+,;=~-._").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 8080),
    }


def request_body(event: dict[str, Any]) -> bytes:
    """Return the event's body as bytes."""
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


class Adapter:
    """Serves the application's invocations, up to `concurrency` at a time."""

    def __init__(self, app: Application, address: str, concurrency: int = 1) -> None:
        self._app = app
        self._concurrency = concurrency
        self._host, _, self._port = address.partition(":")

    async def serve(self) -> None:
        """Serve until the Runtime API is gone."""
        await asyncio.gather(*(self._serve_one_by_one() for _ in range(self._concurrency)))

    async def _serve_one_by_one(self) -> None:
        while True:
            connection = await self._connect()
            await connection.send_head("GET", "/invocation/next", {})
            status, headers, event = await connection.receive()
            connection.writer.close()
            if status != 200:
                return
            await self._invoke(headers, json.loads(event))

    async def report_init_error(self, error: BaseException) -> None:
        """Tell the Runtime API that the application cannot be loaded."""
        await self._report("/init/error", error)

    async def _invoke(self, headers: dict[str, str], event: dict[str, Any]) -> None:
        request_id = headers["lambda-runtime-aws-request-id"]
        context = {
            "request_id": request_id,
            "deadline": int(headers["lambda-runtime-deadline-ms"]),
            "invoked_function_arn": headers["lambda-runtime-invoked-function-arn"],
            "env_config": {"function_name": os.environ["AWS_LAMBDA_FUNCTION_NAME"]},
        }
        connection = await self._connect()
        response = Response(connection, request_id)
        try:
            await self._app(http_scope(event, context), _receiver(request_body(event)), response.send)
            await connection.send_chunk(b"")
            await connection.receive()
        except Exception as error:
            traceback.print_exc()
            # Also in the middle of a response: one that is cut off without a word means that the process is gone.
            await self._report(f"/invocation/{request_id}/error", error)
        connection.writer.close()

    async def _report(self, path: str, error: BaseException) -> None:
        trace = traceback.format_exception(error)
        report = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": trace}
        body = json.dumps(report).encode()
        connection = await self._connect()
        await connection.send_head("POST", path, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        connection.writer.write(body)
        await connection.receive()
        connection.writer.close()

    async def _connect(self) -> Connection:
        return Connection(*await asyncio.open_connection(self._host, int(self._port), limit=16 * 1024 * 1024))


def _receiver(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        # Lambda never learns that the client left.
        await asyncio.Event().wait()
        raise AssertionError

    return receive


async def run(entry: str, address: str) -> None:
    """Load the application `module.attribute` and serve it."""
    module, _, attribute = entry.partition(".")
    try:
        app = getattr(importlib.import_module(module), attribute)
    except BaseException as error:
        await Adapter(_no_app, address).report_init_error(error)
        raise
    await Adapter(app, address, int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))).serve()


async def _no_app(*_: object) -> None:
    raise AssertionError


def main(arguments: Sequence[str]) -> None:
    """Serve the entry point named in the arguments."""
    asyncio.run(run(arguments[0], os.environ["AWS_LAMBDA_RUNTIME_API"]))
