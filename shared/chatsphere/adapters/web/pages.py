"""One GET request to a host that somebody named: to a checked address, within bounds, with nothing of our own."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from chatsphere.adapters.upstream.connection import Watchdog, tls_context
from chatsphere.adapters.web.bodies import read_body
from chatsphere.adapters.web.resolving import Address, Resolve, checked_addresses, connect, system_resolver
from chatsphere.errors import UrlUnreachableError
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports import WebAnswer
from chatsphere.settings import WebSettings

MAX_VALUE: Final = 500
"""Characters of a header's value that is kept."""

_PRINTABLE: Final = re.compile(r"[ -~]+")

ACCEPTED: Final = "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.8"


class WebPages:
    """The `PageFetcher` port. Each request has its own connection, which ends with it; no proxy is asked."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        resolve: Resolve = system_resolver,
        tls: Callable[[], ssl.SSLContext] = tls_context,
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._tls_context = tls
        self._private = settings.private_hosts

    def fetch(
        self, url: str, *, seconds: float, etag: str | None = None, last_modified: str | None = None
    ) -> WebAnswer:
        """See `PageFetcher.fetch`."""
        deadline = monotonic() + seconds
        address = WebUrl.parse(url, self._private)
        patience = min(seconds, self._settings.web_connect_seconds)
        private = address.authority in self._private
        places = checked_addresses(address, self._resolve, seconds=patience, private=private)
        headers = self._headers(etag, last_modified)
        with self._answer(address, places, headers, max(0.01, deadline - monotonic())) as response:
            body = read_body(response, self._settings.web_max_bytes) if 200 <= response.status < 300 else b""
            return _answer(response, body)

    @contextmanager
    def _answer(
        self, url: WebUrl, places: Sequence[Address], headers: dict[str, str], seconds: float
    ) -> Iterator[HTTPResponse]:
        connection = self._connection(url, places, seconds)
        watchdog = Watchdog(seconds)
        try:
            watchdog.attend(connection)
            connection.request("GET", url.target, headers=headers, preload_content=False, decode_content=False)
            watchdog.attend(connection)
            if watchdog.expired:
                # While there was no socket yet that it could have shut down.
                raise UrlUnreachableError
            yield connection.getresponse()
            if watchdog.expired:
                # Cut off, it may look like an answer that has come to its end.
                raise UrlUnreachableError
        # ValueError: a status line or a header that is none.
        except (HTTPError, HTTPException, OSError, ValueError):
            raise UrlUnreachableError from None
        finally:
            watchdog.stop()
            connection.close()

    def _connection(self, url: WebUrl, places: Sequence[Address], seconds: float) -> HTTPConnection:
        patience = min(seconds, self._settings.web_connect_seconds)

        def open_socket() -> socket.socket:
            connected = connect(places, url.port, patience)
            connected.settimeout(seconds)
            return connected

        if url.scheme == "http":
            plain = _Connection(url.host, url.port, timeout=seconds)
            plain.open_socket = open_socket
            return plain
        secure = _TlsConnection(url.host, url.port, timeout=seconds, ssl_context=self._tls)
        secure.open_socket = open_socket
        return secure

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._tls_context()

    def _headers(self, etag: str | None, last_modified: str | None) -> dict[str, str]:
        headers = {
            "User-Agent": self._settings.web_user_agent,
            "Accept": ACCEPTED,
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        return headers


class _Connection(HTTPConnection):
    """Goes where it is told; the name is for the Host header, and in the subclass for the certificate."""

    open_socket: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.open_socket()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


def _answer(response: HTTPResponse, body: bytes) -> WebAnswer:
    headers: Any = response.headers
    return WebAnswer(
        status=response.status,
        content_type=_plain(headers.get("content-type")),
        body=body,
        location=_as_sent(headers.get("location")),
        etag=_plain(headers.get("etag")),
        last_modified=_plain(headers.get("last-modified")),
        retry_after=headers.get("retry-after"),
        robots=headers.get("x-robots-tag", ""),
    )


def _plain(value: str | None) -> str | None:
    """What is stored, and sent on in headers, is short and printable; anything else counts as not sent."""
    return value if value is not None and len(value) <= MAX_VALUE and _PRINTABLE.fullmatch(value) else None


def _as_sent(location: str | None) -> str | None:
    """Headers are read as Latin-1, and many servers send UTF-8."""
    if location is None:
        return None
    try:
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location
