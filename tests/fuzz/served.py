"""The API in this process, on a port of loopback: schemathesis is another process."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.background_server import in_background
from tests.builders.rest_api import Answer, RestApi

NO_ROUTE = json.dumps(
    {
        "type": "urn:chatsphere:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such route.",
        "code": "not_found",
        "request_id": "none",
    }
)
HELD_BACK = {"content-length", "transfer-encoding", "connection"}
"""Of an answer: this server writes its own."""


@contextmanager
def served(api: RestApi) -> Iterator[str]:
    """Yield the address at which the API answers, one request after the other."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                answer = _ask(api, self.command, self.path, dict(self.headers.items()), body)
            payload = answer.text.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in HELD_BACK:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def _ask(api: RestApi, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(target)
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = b64encode(body).decode(), True
    try:
        return api.request(
            method,
            unquote(parts.path),
            headers=headers,
            query=parse_qs(parts.query, keep_blank_values=True),
            raw_body=text or None,
            base64=encoded,
        )
    except LookupError:
        return Answer(404, {"Content-Type": "application/problem+json"}, NO_ROUTE)
