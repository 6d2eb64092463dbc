"""The gate in front of moto: refuses bodies that are too large, and answers only when changes are durable."""

import gc
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wsgi import ClosingIterator

from infra.local.moto_bucket import MirroredBuckets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGE_BYTES = 4 * 1024 * 1024
"""A request beyond this leaves cycles behind that hold its body; they are collected at once."""
DISCARD_BYTES = 64 * 1024

ERROR = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
    "<RequestId>local</RequestId></Error>"
)


class RequestGate:
    """A WSGI application around moto's."""

    def __init__(self, app: "WSGIApplication", buckets: MirroredBuckets, max_body_bytes: int) -> None:
        self._app = app
        self._buckets = buckets
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("HTTP_TRANSFER_ENCODING"):
            return _refuse(start_response, "411 Length Required", "MissingContentLength", "Content-Length is required")
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > self._max_body_bytes:
            _discard(environ, int(length) if length.isdigit() else 0)
            message = "Your proposed upload exceeds the maximum allowed size"
            return _refuse(start_response, "400 Bad Request", "EntityTooLarge", message)
        self._buckets.start_recording()
        answer = self._app(environ, start_response)
        # The server sends the status with the body's first bytes, so nobody has been told of success yet.
        self._buckets.commit()
        return ClosingIterator(answer, _collect) if int(length) > LARGE_BYTES else answer


def _collect() -> None:
    gc.collect()


def _refuse(start_response: "StartResponse", status: str, code: str, message: str) -> Iterable[bytes]:
    body = ERROR.format(code=code, message=message).encode()
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def _discard(environ: "WSGIEnvironment", length: int) -> None:
    """Read the body without keeping it: a client that is cut off while it sends sees no answer."""
    if environ.get("HTTP_EXPECT"):
        return
    while length > 0:
        data = environ["wsgi.input"].read(min(length, DISCARD_BYTES))
        if not data:
            return
        length -= len(data)
