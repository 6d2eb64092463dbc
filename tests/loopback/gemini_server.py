"""Gemini on loopback: the REST API's wire format, its errors, and faults on demand.

with GeminiServer() as gemini:
    settings = AnswerSettings(gemini_url=gemini.url, gemini_api_key=gemini.key, answer_model="gemini")
    gemini.faults.append(Cuts(events=2))
"""

import json
import re
import select
import socket
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock
from typing import Any, Self

from tests.background_server import in_background
from tests.loopback.gemini_faults import (
    OF_ANSWERS,
    BreaksWithError,
    Cuts,
    Drips,
    Fault,
    Finishes,
    Garbles,
    Hangs,
    Refuses,
    Waits,
)
from tests.loopback.gemini_service import EMBEDDING, GENERATIVE, GeminiService
from tests.loopback.gemini_wire import SHAPES, ApiError, JsonObject, checked, exhausted

_MODEL = re.compile(r"/v1(?:beta)?/models/([^/:?]+)")
_ROUTE = re.compile(r"/v1(?:beta)?/models/([^/:?]+):(\w+)(\?alt=sse)?")


@dataclass(frozen=True)
class Received:
    """One call as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class GeminiServer(GeminiService):
    """A server on a free port. `faults` are used up one by one; `every_nth` refuses every nth call with 429.

    `left` counts the clients that left before their answer was over. A streamed answer rests `pause_seconds` before
    each event.
    """

    key: str = "test-key"
    every_nth: int | None = None
    pause_seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    left: int = 0
    stopping: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self._running = in_background(self._server)
        self._running.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._running.__exit__(None, None, None)

    @property
    def url(self) -> str:
        """The server's address, without a version."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, call: Received) -> Fault | None:
        """Note the call and return what goes wrong with it."""
        with self.lock:
            self.received.append(call)
            if self.every_nth and len(self.received) % self.every_nth == 0:
                return Refuses(429, 0)
            if not self.faults or (isinstance(self.faults[0], OF_ANSWERS) and "enerateContent" not in call.path):
                return None
            return self.faults.pop(0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes, which Nagle's algorithm and delayed acknowledgements make 40 ms.
    disable_nagle_algorithm = True

    def __init__(self, gemini: GeminiServer, *arguments: Any) -> None:
        self.gemini = gemini
        super().__init__(*arguments)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._respond(raw)
        except ApiError as error:
            self._send(error.code, error.body(), error.headers)
        except OSError:
            self._gone()

    def do_GET(self) -> None:
        try:
            self._describe()
        except ApiError as error:
            self._send(error.code, error.body(), error.headers)

    def _describe(self) -> None:
        fault = self.gemini.take(Received(self.command, self.path, dict(self.headers), None))
        if isinstance(fault, Refuses):
            raise _refusal(fault)
        self._authenticate()
        found = _MODEL.fullmatch(self.path)
        if found is None or found[1] not in {*EMBEDDING, *GENERATIVE}:
            raise ApiError(404, "Not Found")
        self._send(200, {"name": f"models/{found[1]}"})

    def _respond(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        fault = self.gemini.take(Received(self.command, self.path, dict(self.headers), body))
        if isinstance(fault, Refuses):
            raise _refusal(fault)
        if isinstance(fault, Hangs):
            return self._wait_for_leaving()
        self._authenticate()
        model, method, streams = self._route()
        if body is None:
            raise ApiError(400, "Invalid JSON payload received. Parsing terminated before end of input.")
        request = checked(method, body)
        if method == "streamGenerateContent":
            if not streams:
                raise NotImplementedError("only alt=sse is spoken here")
            return self._stream(list(self.gemini.messages(model, request, fault)), fault)
        return self._send_faulty(self.gemini.whole(model, method, request, fault), fault)

    # ------------------------------------------------------------------------------------------ what it checks

    def _authenticate(self) -> None:
        key = self.headers.get("x-goog-api-key")
        if key is None:
            raise ApiError(403, "Method doesn't allow unregistered callers (callers without established identity).")
        if key != self.gemini.key:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise ApiError(400, "API key not valid. Please pass a valid API key.", [info])

    def _route(self) -> tuple[str, str, bool]:
        found = _ROUTE.fullmatch(self.path)
        if found is None or found[2] not in SHAPES:
            raise ApiError(404, "Not Found")
        model, method = found[1], found[2]
        if model not in (EMBEDDING if "mbed" in method else GENERATIVE):
            raise ApiError(
                404, f"models/{model} is not found for API version v1beta, or is not supported for {method}."
            )
        return model, method, bool(found[3])

    # ------------------------------------------------------------------------------------------- how it sends

    def _send_faulty(self, body: JsonObject, fault: Fault | None) -> None:
        if isinstance(fault, Garbles):
            self._send_bytes(200, b'{"candidates": [{"content"', {})
        elif isinstance(fault, Drips):
            raw = json.dumps(body).encode()
            self._head(200, {"Content-Length": str(len(raw))})
            for byte in raw:
                self._write(bytes([byte]))
                if self.gemini.stopping.wait(fault.seconds):
                    return
        else:
            self._send(200, body)

    def _send(self, status: int, body: JsonObject, headers: Any = None) -> None:
        self._send_bytes(status, json.dumps(body).encode(), headers or {})

    def _send_bytes(self, status: int, raw: bytes, headers: Any) -> None:
        self._head(status, {**headers, "Content-Length": str(len(raw))})
        self._write(raw)

    def _stream(self, messages: list[JsonObject], fault: Fault | None) -> None:
        self._head(200, {"Transfer-Encoding": "chunked"}, "text/event-stream")
        stop = getattr(fault, "events", None) if not isinstance(fault, Finishes) else None
        for message in messages[:stop]:
            if self.gemini.stopping.wait(self.gemini.pause_seconds):
                return
            self._chunk(b"data: " + json.dumps(message, ensure_ascii=False).encode() + b"\r\n\r\n", fault)
        match fault:
            case Cuts():
                self._chunk(b'data: {"candidates": [{"conte')
                self._hang_up()
                return
            case Waits():
                self._wait_for_leaving()
                return
            case Garbles():
                self._chunk(b"data: {not json\r\n\r\n")
            case BreaksWithError(status):
                error = ApiError(status, "The model is overloaded. Please try again later.")
                self._chunk(b"data: " + json.dumps(error.body()).encode() + b"\r\n\r\n")
        self._write(b"0\r\n\r\n")

    def _chunk(self, raw: bytes, fault: Fault | None = None) -> None:
        if isinstance(fault, Drips):
            for byte in raw:
                self._write(b"1\r\n" + bytes([byte]) + b"\r\n")
                if self.gemini.stopping.wait(fault.seconds):
                    return
        else:
            self._write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")

    def _head(self, status: int, headers: dict[str, str], kind: str = "application/json; charset=UTF-8") -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _write(self, raw: bytes) -> None:
        self.wfile.write(raw)
        self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _wait_for_leaving(self) -> None:
        """Say nothing until the client closes its end."""
        while not self.gemini.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return self._gone()
        self.close_connection = True
        return None

    def _gone(self) -> None:
        self.close_connection = True
        with self.gemini.lock:
            self.gemini.left += 1


def _refusal(fault: Refuses) -> ApiError:
    if fault.status == 429:
        return exhausted(fault.retry_seconds, in_header=fault.in_header)
    return ApiError(fault.status, "The call failed, and this text says why in words that may hold a question.")
