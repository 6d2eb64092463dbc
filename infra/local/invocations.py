"""One invocation of a function, between whoever asked for it and the worker that answers it."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator

from infra.local.errors import InvocationError

CHUNKS_AHEAD = 64


class ResponseStream:
    """A response's bytes as they arrive; ends with the response or with the error that cut it off."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._abandoned = False
        self._error: InvocationError | None = None
        self.ended = False

    async def feed(self, chunk: bytes) -> None:
        """Add bytes; waits while the reader is far behind, and drops them when there is none."""
        while len(self._chunks) >= CHUNKS_AHEAD and not (self._abandoned or self.ended):
            self._room.clear()
            await self._room.wait()
        if chunk and not (self._abandoned or self.ended):
            self._chunks.append(chunk)
            self._arrived.set()

    def finish(self, error: InvocationError | None = None) -> None:
        """End the stream, by `error` if it is not complete."""
        if not self.ended:
            self.ended, self._error = True, error
            self._arrived.set()
            self._room.set()

    def abandon(self) -> None:
        """Tell that nobody reads any more; the function keeps running, as in AWS."""
        self._abandoned = True
        self._chunks.clear()
        self._room.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the chunks.

        Raises:
            InvocationError: the response was cut off.
        """
        while True:
            while self._chunks:
                self._room.set()
                yield self._chunks.popleft()
            if self.ended:
                break
            self._arrived.clear()
            await self._arrived.wait()
        if self._error is not None:
            raise self._error


class Invocation:
    """An event on its way to a function, and the place for its response."""

    def __init__(self, event: bytes) -> None:
        self.request_id = str(uuid.uuid4())
        self.event = event
        self.response: asyncio.Future[ResponseStream] = asyncio.get_running_loop().create_future()
        self.deadline = 0.0
        self._stream: ResponseStream | None = None

    @property
    def settled(self) -> bool:
        """Whether the whole response, or an error, has arrived."""
        return self.response.done() and (self._stream is None or self._stream.ended)

    def begin_response(self) -> ResponseStream:
        """Return the stream for the response that has begun to arrive."""
        self._stream = ResponseStream()
        if not self.response.done():
            self.response.set_result(self._stream)
        return self._stream

    def fail(self, error: InvocationError) -> None:
        """End the invocation by `error`, also in the middle of its response."""
        if self._stream is not None:
            self._stream.finish(error)
        elif not self.response.done():
            self.response.set_exception(error)
