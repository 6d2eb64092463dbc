"""A receiver of webhooks on loopback, as small as one can be: it verifies the signature and hands the event on."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from chatsphere.cli.errors import CliError, UsageError

TOLERANCE_SECONDS: Final = 300
"""Older than that, a signed request may have been recorded by somebody and sent again."""
MAX_BODY: Final = 64 * 1024


def receive(secret: str, port: int, count: int, *, say: Callable[[str], None], show: Callable[[Any], None]) -> None:
    """Serve until `count` events were shown; 0: until Ctrl-C. `say` is told the address.

    Raises:
        UsageError: the text is no secret.
        CliError: the port is taken.
    """
    key, shown = _key(secret), 0

    class Receiver(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            nonlocal shown
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))
            if not is_signed(key, dict(self.headers), body, time.time()):
                self._answer(HTTPStatus.UNAUTHORIZED)
                return
            show(json.loads(body))
            shown += 1
            self._answer(HTTPStatus.NO_CONTENT)

        def _answer(self, status: HTTPStatus) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    try:
        server = HTTPServer(("127.0.0.1", port), Receiver)
    except OSError as error:
        raise CliError(f"Port {port} cannot be listened on: {error.strerror}.", hint="Choose another: --port") from None
    with server:
        say(f"http://127.0.0.1:{server.server_port}/")
        while count == 0 or shown < count:
            server.handle_request()


def is_signed(key: bytes, headers: dict[str, str], body: bytes, now: float) -> bool:
    """Return whether the key signed this body lately."""
    given = {name.lower(): value for name, value in headers.items()}
    sent_at = given.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(now - int(sent_at)) > TOLERANCE_SECONDS:
        return False
    signed = b".".join((given.get("webhook-id", "").encode(), sent_at.encode(), body))
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    signatures = given.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise UsageError("This is no secret of a webhook.", hint="It begins with whsec_.") from None
