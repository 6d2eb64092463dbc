from collections.abc import Iterator
from threading import Event
from typing import Any

import anyio
from starlette.types import Message

from chatsphere.http.event_stream import HEARTBEAT, EventStreamResponse

TIMEOUT = 10


class Client:
    """An ASGI client: keeps what it is sent, and can leave."""

    def __init__(self, *, leaves_after: int | None = None) -> None:
        self.messages: list[Message] = []
        self.heard_heartbeat = Event()
        self._leaves_after = leaves_after

    async def send(self, message: Message) -> None:
        if self._leaves_after is not None and len(self.messages) >= self._leaves_after:
            raise OSError("the client has left")
        self.messages.append(message)
        if message.get("body") == HEARTBEAT:
            self.heard_heartbeat.set()

    async def receive(self) -> Message:
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def serve(response: EventStreamResponse, client: Client) -> None:
    async def run() -> None:
        with anyio.fail_after(TIMEOUT):
            await response({"type": "http"}, client.receive, client.send)

    anyio.run(run)


def headers_of(client: Client) -> dict[str, Any]:
    return {name.decode(): value.decode() for name, value in client.messages[0]["headers"]}


def test_frames_are_sent_as_they_come_and_the_response_is_closed() -> None:
    client = Client()
    serve(EventStreamResponse(iter([b"a", b"b"]), {"X-Request-Id": "r"}), client)
    assert [m.get("body") for m in client.messages[1:]] == [b"a", b"b", b""]
    assert client.messages[-1]["more_body"] is False


def test_no_proxy_holds_the_stream_back() -> None:
    client = Client()
    serve(EventStreamResponse(iter([b"a"]), {}), client)
    headers = headers_of(client)
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers


def test_silence_is_filled_with_comment_lines_until_the_next_frame() -> None:
    client = Client()

    def slow() -> Iterator[bytes]:
        yield b"first"
        # On a slow machine one was heard before the first frame, too.
        client.heard_heartbeat.clear()
        assert client.heard_heartbeat.wait(TIMEOUT)
        yield b"second"

    serve(EventStreamResponse(slow(), {}, heartbeat_seconds=0.01), client)
    body = client.body
    assert HEARTBEAT.startswith(b":")
    assert HEARTBEAT in body.partition(b"first")[2].partition(b"second")[0]
    assert body.replace(HEARTBEAT, b"") == b"firstsecond"


def test_the_work_goes_on_when_the_client_leaves() -> None:
    client = Client(leaves_after=2)
    done: list[bytes] = []

    def work() -> Iterator[bytes]:
        for frame in (b"1", b"2", b"3", b"4"):
            done.append(frame)
            yield frame

    serve(EventStreamResponse(work(), {}), client)
    assert client.body == b"1"
    assert done == [b"1", b"2", b"3", b"4"]


def test_the_work_goes_on_when_the_server_cancels_the_request() -> None:
    client = Client()
    started, cancelled, finished = Event(), Event(), Event()

    def work() -> Iterator[bytes]:
        yield b"1"
        started.set()
        assert cancelled.wait(TIMEOUT)
        yield b"2"
        finished.set()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(EventStreamResponse(work(), {}), {"type": "http"}, client.receive, client.send)
            await anyio.to_thread.run_sync(started.wait, TIMEOUT)
            group.cancel_scope.cancel()
            cancelled.set()

    anyio.run(run)
    assert finished.is_set()
