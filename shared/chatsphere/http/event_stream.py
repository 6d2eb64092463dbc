"""Server-Sent Events: framing, heartbeats, and work that goes on when nobody listens any more."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, Final

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HEARTBEAT_SECONDS: Final = 15.0
HEARTBEAT: Final = b": keep-alive\n\n"
HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

# Legal inside JSON and inside an SSE line, but many clients split lines at them.
_LINE_BREAKS: Final = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def sse_event(name: str, data: dict[str, Any]) -> bytes:
    """Return one event. JSON escapes line ends, so the data is always a single line."""
    return f"event: {name}\n".encode() + sse_data(data)


def sse_data(data: dict[str, Any]) -> bytes:
    """Return one event without a name."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_LINE_BREAKS)
    return f"data: {text}\n\n".encode()


def with_id(frame: bytes, event_id: str) -> bytes:
    """Return the event with the id that a client sends as `Last-Event-ID` to go on after it."""
    return frame.removesuffix(b"\n") + f"id: {event_id}\n\n".encode()


@dataclass(slots=True)
class _Listener:
    """The client: whether it is still there."""

    send: Send
    on_leave: Callable[[], None] | None = None
    listening: bool = field(default=True)

    async def hear(self, message: dict[str, Any]) -> None:
        if not self.listening:
            return
        try:
            await self.send(message)
        except OSError:
            self.listening = False
            self.leave()

    def leave(self) -> None:
        """The client is gone."""
        if self.on_leave is not None:
            self.on_leave()

    async def watch(self, receive: Receive) -> None:
        """Wait for the server to say that the client is gone; not every server does.

        What is sent from then on reaches nobody, but may be kept for who asks again.
        """
        while (await receive())["type"] != "http.disconnect":
            pass
        self.leave()


class EventStreamResponse(Response):
    """Sends what `frames` yields, and a comment line whenever it is silent for a while.

    `frames` is run in a thread, to its end: a client that leaves ends the sending, not the work. `on_leave` is told of
    it, where the work is worth nothing then.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        frames: Iterator[bytes],
        headers: dict[str, str],
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        on_leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(headers=HEADERS | headers)
        del self.headers["content-length"]
        self._frames = frames
        self._heartbeat = heartbeat_seconds
        self._on_leave = on_leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Serve the response. Without `on_leave`, `receive` is not read: a client's leaving changes nothing."""
        listener = _Listener(send, self._on_leave)
        sink, source = anyio.create_memory_object_stream[bytes](inf)
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group, source:
                # A thread of its own: were all taken from one pool, streams would wait for each other to end.
                pump = partial(anyio.to_thread.run_sync, _pump, self._frames, sink, limiter=anyio.CapacityLimiter(1))
                group.start_soon(pump)
                if self._on_leave is not None:
                    group.start_soon(listener.watch, receive)
                await listener.hear(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                while frame := await _next_frame(source, self._heartbeat):
                    await listener.hear({"type": "http.response.body", "body": frame, "more_body": True})
                await listener.hear({"type": "http.response.body", "body": b"", "more_body": False})
                # All work is done: what is left to be ended is the waiting for the client to leave.
                group.cancel_scope.cancel()


def _pump(frames: Iterator[bytes], sink: MemoryObjectSendStream[bytes]) -> None:
    """Run in a thread: do the work and hand over its frames; nothing here waits for the client."""
    try:
        for frame in frames:
            anyio.from_thread.run_sync(sink.send_nowait, frame)
    finally:
        anyio.from_thread.run_sync(sink.close)


async def _next_frame(source: MemoryObjectReceiveStream[bytes], heartbeat_seconds: float) -> bytes:
    """Return the next frame, a heartbeat if none comes in time, or nothing at the end."""
    try:
        with anyio.fail_after(heartbeat_seconds):
            return await source.receive()
    except TimeoutError:
        return HEARTBEAT
    except anyio.EndOfStream:
        return b""
