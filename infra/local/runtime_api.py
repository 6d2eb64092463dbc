"""The Lambda Runtime API on loopback: one port per worker, so that the port says who calls.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from infra.local.errors import FunctionFailedError
from infra.local.http_server import LEFT, HttpServer, Message, Receive, Send
from infra.local.invocations import Invocation
from infra.local.ports import LOOPBACK, listening_socket
from infra.local.stand_in_plan import ACCOUNT, REGION
from infra.local.worker import Worker
from infra.local.workers import WorkerPool

PREFIX = "/2018-06-01/runtime"
MAX_RESPONSE_BYTES = 6 * 1024 * 1024
MODE_HEADER = b"lambda-runtime-function-response-mode"
ANSWER_PATH = re.compile(rf"{PREFIX}/invocation/(?P<request_id>[^/]+)/(?P<kind>response|error)")


class RuntimeApi:
    """Hands invocations to workers and takes their answers."""

    def __init__(self) -> None:
        # A worker is silent for as long as its handler runs; its connection is kept.
        self._server = HttpServer(self._serve, keep_alive_seconds=24 * 3600)
        self._workers: dict[int, tuple[WorkerPool, Worker]] = {}
        self._listeners: dict[int, asyncio.Server] = {}

    async def open(self, pool: WorkerPool, worker: Worker) -> str:
        """Return the address (host:port) that is this worker's alone."""
        listener = listening_socket(0)
        port = int(listener.getsockname()[1])
        self._workers[port] = (pool, worker)
        self._listeners[port] = await self._server.listen(listener)
        return f"{LOOPBACK}:{port}"

    def forget(self, address: str) -> None:
        """Close the address of a worker that has ended."""
        port = int(address.rpartition(":")[2])
        self._workers.pop(port, None)
        listener = self._listeners.pop(port, None)
        if listener is not None:
            listener.close()

    async def close(self) -> None:
        """Close every address."""
        await self._server.close(within=0)

    async def _serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        caller = self._workers.get(scope["server"][1])
        if caller is None:
            await _reply(send, 410, {"errorType": "WorkerEnded"})
            return
        pool, worker = caller
        path, method = scope["path"], scope["method"]
        answer = ANSWER_PATH.fullmatch(path)
        if method == "GET" and path == f"{PREFIX}/invocation/next":
            await _next(pool, worker, scope["state"][LEFT], receive, send)
        elif method == "POST" and path == f"{PREFIX}/init/error":
            worker.init_error = _described(await _read(receive, MAX_RESPONSE_BYTES))
            await _reply(send, 202, {"status": "OK"})
        elif method == "POST" and answer is not None:
            await _take(pool, worker, answer.groupdict(), dict(scope["headers"]), receive, send)
        else:
            await _reply(send, 404, {"errorType": "UnknownPath"})


async def _next(pool: WorkerPool, worker: Worker, left: Callable[[], bool], receive: Receive, send: Send) -> None:
    waiting = asyncio.ensure_future(pool.dispatch.next_invocation(worker))
    gone = asyncio.ensure_future(_until_disconnected(receive))
    first: list[asyncio.Future[Any]] = [waiting, gone]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not waiting.done():
        waiting.cancel()
    elif left():
        # The process ended before it was told: its death is in the kernel, and nobody here has heard of it yet.
        pool.dispatch.take_back(worker, waiting.result())
    else:
        await _send_event(send, pool.name, waiting.result())


async def _take(
    pool: WorkerPool,
    worker: Worker,
    answer: Mapping[str, str],
    headers: dict[bytes, bytes],
    receive: Receive,
    send: Send,
) -> None:
    invocation = worker.holding(answer["request_id"])
    if invocation is None:
        await _reply(send, 400, {"errorType": "InvalidRequestID"})
    elif answer["kind"] == "error":
        invocation.fail(FunctionFailedError(_described(await _read(receive, MAX_RESPONSE_BYTES))))
        await _reply(send, 202, {"status": "OK"})
    elif headers.get(MODE_HEADER) == b"streaming":
        if not await _take_stream(invocation, receive, send):
            # A runtime that lives says so before it cuts a response off; another one serves whoever asks next.
            pool.dispatch.forget(worker)
            invocation.fail(FunctionFailedError("the function cut its response off"))
    else:
        await _take_whole(invocation, receive, send)


async def _send_event(send: Send, function: str, invocation: Invocation) -> None:
    headers = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}",
    }
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()]
            + [(b"content-length", str(len(invocation.event)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": invocation.event})


async def _take_whole(invocation: Invocation, receive: Receive, send: Send) -> None:
    body = await _read(receive, MAX_RESPONSE_BYTES)
    if body is None:
        invocation.fail(FunctionFailedError("the response exceeds Lambda's 6 MB"))
        await _reply(send, 413, {"errorType": "Function.ResponseSizeTooLarge"})
        return
    stream = invocation.begin_response()
    await stream.feed(body)
    stream.finish()
    await _reply(send, 202, {"status": "OK"})


async def _take_stream(invocation: Invocation, receive: Receive, send: Send) -> bool:
    """Return whether the response ended as it should, or by an error that was reported."""
    stream = invocation.begin_response()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return stream.ended
        await stream.feed(message.get("body", b""))
        if not message.get("more_body"):
            break
    stream.finish()
    await _reply(send, 202, {"status": "OK"})
    return True


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the request's body, or None if it is larger than `limit` or breaks off."""
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _described(body: bytes | None) -> str:
    """Return a runtime's error report as one text."""
    with suppress(ValueError, AttributeError):
        report = json.loads(body or b"")
        trace = "".join(str(line) for line in report.get("stackTrace") or [])
        return f"{report.get('errorType')}: {report.get('errorMessage')}\n{trace}".rstrip()
    return "the runtime reported an error that cannot be read"


async def _reply(send: Send, status: int, body: dict[str, str]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
