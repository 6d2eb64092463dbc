"""Pages of hosts that somebody named."""

import re
import ssl
from collections.abc import Callable
from functools import cached_property
from time import monotonic
from typing import Any, Final

from urllib3 import HTTPResponse

from chatsphere.adapters.upstream.connection import tls_context
from chatsphere.adapters.web.bodies import read_body
from chatsphere.adapters.web.exchange import WebRequest, answer_to
from chatsphere.adapters.web.resolving import Resolve, checked_addresses, system_resolver
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.web import WebAnswer
from chatsphere.settings import WebSettings

MAX_VALUE: Final = 500
"""Characters of a header's value that is kept."""

_PRINTABLE: Final = re.compile(r"[ -~]+")

ACCEPTED: Final = "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.8"


class WebPages:
    """The `PageFetcher` port."""

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
        request = WebRequest("GET", address, places, headers)
        left = max(0.01, deadline - monotonic())
        with answer_to(request, lambda: self._tls, seconds=left, connect_seconds=patience) as response:
            body = read_body(response, self._settings.web_max_bytes) if 200 <= response.status < 300 else b""
            return _answer(response, body)

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
