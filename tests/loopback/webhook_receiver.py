"""Receivers of webhooks on loopback: each path is one of its own, and answers as a test says."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from uuid import uuid4

from tests.background_server import in_background

Respond = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    """One request; the headers' names in lower case."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Inbox:
    """What one URL was sent. It answers with `statuses` in turn, then 204; or as `respond` says."""

    url: str
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    respond: Respond | None = None

    @property
    def ids(self) -> list[str]:
        return [one.event_id for one in self.received]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.respond is not None:
            handler.close_connection = True
            self.respond(handler)
            return
        handler.send_response(self.statuses.pop(0) if self.statuses else 204)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        handler.wfile.write(self.body)


@dataclass
class Receivers:
    """One server; `inbox` makes a URL of it."""

    scheme: str
    port: int = 0
    inboxes: dict[str, Inbox] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def inbox(self) -> Inbox:
        path = f"/{uuid4().hex}"
        self.inboxes[path] = Inbox(f"{self.scheme}://{self.authority}{path}")
        return self.inboxes[path]


@contextmanager
def running_receivers(tls: ssl.SSLContext | None = None) -> Iterator[Receivers]:
    """Receive for the length of the block."""
    receivers, lock = Receivers("http" if tls is None else "https"), Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # Who sends may leave in the middle of an answer, or refuse the certificate.
            with suppress(ConnectionError, ssl.SSLError):
                super().handle()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            inbox = receivers.inboxes[self.path]
            with lock:
                inbox.received.append(Received(headers, body))
            inbox.answer(self)

        def log_message(self, *_: object) -> None:
            return None

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        receivers.port = server.server_port
        yield receivers
