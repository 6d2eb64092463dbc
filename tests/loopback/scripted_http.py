"""A loopback HTTP server whose answers come from a function, and which can be told to fail."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from tests.background_server import in_background


@dataclass(frozen=True)
class Request:
    """What came in. `body` is parsed JSON or a form's fields, `size` its bytes.

    Of a repeated parameter `query` has the last.
    """

    method: str
    path: str
    query: Mapping[str, str]
    repeated: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any
    size: int


@dataclass(frozen=True)
class Answer:
    """What goes out."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Fault(Enum):
    """What one request meets instead of its answer."""

    OVERLOADED = auto()  # 429 with Retry-After; nothing was done
    UNAVAILABLE = auto()  # 503; nothing was done
    LOST = auto()  # the call is carried out, and answered with 500
    HANG = auto()  # carried out; no byte is answered until the server is closed
    CUT = auto()  # carried out; the connection ends in the middle of the body
    DRIP = auto()  # carried out; one byte at a time, slower than any limit
    MALFORMED = auto()  # carried out; 200 with a body that is no JSON


class Faults:
    """Which requests fail, and how."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[Fault | None] = deque()
        self._every: tuple[int, Fault] | None = None
        self._seen = 0

    def queue(self, *faults: Fault) -> None:
        """Let the next requests meet these, one each."""
        with self._lock:
            self._next.extend(faults)

    def queue_after(self, spared: int, *faults: Fault) -> None:
        """As `queue`, once `spared` requests were answered well."""
        with self._lock:
            self._next.extend([None] * spared)
            self._next.extend(faults)

    def every(self, nth: int, fault: Fault) -> None:
        """Let each `nth` request from now on meet this."""
        with self._lock:
            self._every, self._seen = (nth, fault), 0

    def stop(self) -> None:
        """Let every request from now on be answered well."""
        with self._lock:
            self._next.clear()
            self._every = None

    def take(self) -> Fault | None:
        """Return what the present request meets."""
        with self._lock:
            if self._next:
                return self._next.popleft()
            self._seen += 1
            return self._every[1] if self._every and self._seen % self._every[0] == 0 else None


@dataclass
class LoopbackServer:
    """A running server. `answer` is called under one lock; `requests` is what was received, faults included."""

    url: str
    faults: Faults
    requests: list[Request]
    closing: threading.Event


@contextmanager
def serving(answer: Callable[[Request], Answer], overloaded: Answer, unavailable: Answer) -> Iterator[LoopbackServer]:
    """Serve `answer` on a loopback port until the block ends; the other two are the vendor's words for those faults."""
    lock = threading.Lock()
    server = LoopbackServer("", Faults(), [], threading.Event())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in two writes, which Nagle's algorithm and delayed acknowledgements make 40 ms.
        disable_nagle_algorithm = True

        def log_message(self, *arguments: Any) -> None:
            pass

        def _serve(self) -> None:
            request = _received(self)
            with lock:
                server.requests.append(request)
            fault = server.faults.take()
            if fault in (Fault.OVERLOADED, Fault.UNAVAILABLE):
                _send(self, overloaded if fault is Fault.OVERLOADED else unavailable)
                return
            with lock:
                answered = answer(request)
            _misbehave(self, fault, answered, server.closing)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_port}"
    with in_background(listener):
        try:
            yield server
        finally:
            server.closing.set()


def _received(handler: BaseHTTPRequestHandler) -> Request:
    size = int(handler.headers.get("content-length") or 0)
    raw = handler.rfile.read(size)
    address = urlsplit(handler.path)
    parameters = parse_qs(address.query)
    return Request(
        handler.command,
        unquote(address.path),
        {name: values[-1] for name, values in parameters.items()},
        parameters,
        {name.lower(): value for name, value in handler.headers.items()},
        _parsed(raw, handler.headers.get("content-type", "")),
        size,
    )


def _parsed(raw: bytes, content_type: str) -> Any:
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=bool(raw)))
    return json.loads(raw) if raw else None


def _misbehave(handler: BaseHTTPRequestHandler, fault: Fault | None, answer: Answer, closing: threading.Event) -> None:
    if fault is None:
        _send(handler, answer)
    elif fault is Fault.LOST:
        _send(handler, Answer(500, {"message": "internal error"}))
    elif fault is Fault.MALFORMED:
        _send_raw(handler, 200, b'{"matches": [{"id": ', {})
    else:
        handler.close_connection = True
        encoded = _encoded(answer.body) or b"{}"
        if fault is Fault.HANG:
            closing.wait()
            return
        handler.send_response(answer.status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(encoded)))
        handler.end_headers()
        if fault is Fault.CUT:
            handler.wfile.write(encoded[: len(encoded) // 2])
            return
        _drip(handler, encoded, closing)


def _drip(handler: BaseHTTPRequestHandler, encoded: bytes, closing: threading.Event) -> None:
    for position in range(len(encoded)):
        if closing.wait(0.1):
            return
        try:
            handler.wfile.write(encoded[position : position + 1])
            handler.wfile.flush()
        except OSError:
            return  # the client had enough


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    _send_raw(handler, answer.status, _encoded(answer.body), answer.headers)


def _send_raw(handler: BaseHTTPRequestHandler, status: int, encoded: bytes, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in {"content-type": "application/json", **headers, "content-length": str(len(encoded))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(encoded)


def _encoded(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()
