"""POST requests to hosts that somebody named."""

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from time import monotonic
from typing import Final

from chatsphere.adapters.upstream.connection import tls_context
from chatsphere.adapters.web.exchange import WebRequest, answer_to
from chatsphere.adapters.web.resolving import Resolve, checked_addresses, system_resolver
from chatsphere.errors import UrlNotAllowedError, UrlUnreachableError
from chatsphere.knowledge.web.urls import PORTS, WebUrl
from chatsphere.ports.web import PostAnswer
from chatsphere.settings import WebSettings

LOOK_UP_SECONDS: Final = 2.0
"""How long somebody who names a URL waits for its host's addresses."""


class WebPosts:
    """The `WebPoster` port."""

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

    def check(self, url: str) -> str:
        """See `WebPoster.check`."""
        address = self._parsed(url)
        # Not known now, it may be later: it is looked up, and checked, again at each request.
        with suppress(UrlUnreachableError):
            checked_addresses(address, self._resolve, seconds=LOOK_UP_SECONDS, private=self._is_private(address))
        return str(address)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, excerpt_bytes: int
    ) -> PostAnswer:
        """See `WebPoster.post`."""
        deadline = monotonic() + seconds
        address = self._parsed(url)
        patience = min(seconds, self._settings.web_connect_seconds)
        places = checked_addresses(address, self._resolve, seconds=patience, private=self._is_private(address))
        sent = {
            **headers,
            "User-Agent": f"{self._settings.web_user_agent}-Webhooks",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        request = WebRequest("POST", address, places, sent, body)
        left = max(0.01, deadline - monotonic())
        with answer_to(request, lambda: self._tls, seconds=left, connect_seconds=patience) as response:
            return PostAnswer(response.status, response.read(excerpt_bytes, decode_content=False))

    def _parsed(self, url: str) -> WebUrl:
        address = WebUrl.parse(url, self._private)
        if (address.scheme, address.port) != ("https", PORTS["https"]) and not self._is_private(address):
            raise UrlNotAllowedError("Only https:// URLs on port 443 are sent to.")
        return address

    def _is_private(self, url: WebUrl) -> bool:
        return url.authority in self._private

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._tls_context()
