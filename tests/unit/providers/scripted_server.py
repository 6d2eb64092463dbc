"""A server on loopback that answers each request with the next step of a script, down to the bytes."""

import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self

Step = Callable[["Connection"], None]


@dataclass
class Connection:
    """One client's connection; a step writes to it and may close it."""

    socket: socket.socket
    server: "ScriptedServer"

    def wait_until_left(self) -> None:
        """Say nothing until the client closes its end."""
        self.socket.settimeout(0.02)
        while not self.server.stopping.is_set():
            try:
                if not self.socket.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.server.left += 1


@dataclass
class ScriptedServer:
    """Plays `script`, one step a request; `requests` holds what came in, `left` counts clients that gave up."""

    script: list[Step] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    left: int = 0
    stopping: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(0.02)
            while not self.stopping.is_set():
                try:
                    request = _read_request(client)
                    if request is None:
                        return
                    self.requests.append(request)
                    client.settimeout(None)
                    step = self.script.pop(0) if self.script else hangs_up
                    step(Connection(client, self))
                    client.settimeout(0.02)
                except TimeoutError:
                    continue
                except OSError:
                    return


def _read_request(client: socket.socket) -> bytes | None:
    """Return one whole request, None once the client has left. Raises TimeoutError before its first byte only."""
    received = client.recv(65536)
    client.settimeout(5)
    while received:
        head, ending, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if ending and len(body) >= (int(lengths[0].split(b":")[1]) if lengths else 0):
            return received
        received += client.recv(65536)
    return None


def raw_answer(status: int, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return an answer's bytes."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(status: int, body: object = None, **headers: str) -> Step:
    """Answer with JSON."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return sends(raw_answer(status, json.dumps(body if body is not None else {}).encode(), named))


def sends(raw: bytes) -> Step:
    """Send these bytes."""
    return lambda connection: connection.socket.sendall(raw)


def hangs_up(connection: Connection) -> None:
    """Close without an answer."""
    connection.socket.shutdown(socket.SHUT_RDWR)


def sends_then_hangs_up(raw: bytes) -> Step:
    """Send these bytes and close."""

    def step(connection: Connection) -> None:
        connection.socket.sendall(raw)
        connection.socket.shutdown(socket.SHUT_RDWR)

    return step


def is_silent(connection: Connection) -> None:
    """Never answer."""
    connection.wait_until_left()


def sends_then_is_silent(raw: bytes) -> Step:
    """Send these bytes and no more."""

    def step(connection: Connection) -> None:
        connection.socket.sendall(raw)
        connection.wait_until_left()

    return step


def drips(raw: bytes, *, after: int = 0, seconds: float = 0.02) -> Step:
    """Send the bytes one by one, so many seconds apart, but the first `after` at once."""

    def step(connection: Connection) -> None:
        connection.socket.sendall(raw[:after])
        for byte in raw[after:]:
            try:
                connection.socket.sendall(bytes([byte]))
            except OSError:
                connection.server.left += 1
                raise
            connection.server.stopping.wait(seconds)

    return step


def chunked(*pieces: bytes, whole: bool = True) -> bytes:
    """Return a stream's answer in chunks; one that is not `whole` lacks its end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return head + body + (b"0\r\n\r\n" if whole else b"")
