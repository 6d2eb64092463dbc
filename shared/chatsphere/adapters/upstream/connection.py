"""Connections to one vendor on urllib3: TLS, the pool, and a watchdog over each exchange."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from ipaddress import ip_address
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import Any, Final

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

from chatsphere.errors import ConfigurationError

KEPT_CONNECTIONS: Final = 8
"""Idle connections kept open; more calls at once open more."""


class Watchdog:
    """Ends an exchange at its time limit, or before, by shutting its socket down.

    A socket's timeout is per read: a peer that sends a byte now and then, in the headers even, never trips it.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._connection: HTTPConnection | None = None
        self._socket: socket | None = None
        self._timer = Timer(seconds, self.expire)
        self._timer.daemon = True
        self._timer.start()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the connection that this thread opens or reuses meanwhile, until `stop`."""
        token = _watchdog.set(self)
        try:
            yield
        finally:
            _watchdog.reset(token)

    def stop(self) -> None:
        """The exchange is over."""
        self._timer.cancel()

    def attend(self, connection: HTTPConnection) -> None:
        """Watch this connection, whose socket may be there or yet to come."""
        self._connection = connection
        self._socket = connection.sock
        if self.expired:
            self._shut_down()

    def expire(self) -> None:
        """End the exchange now, from any thread: whoever waits for the peer finds the connection gone."""
        self.expired = True
        self._shut_down()

    def _shut_down(self) -> None:
        # A connection that closes after this answer gives its socket up while the answer is still read from it.
        connected = (self._connection.sock if self._connection is not None else None) or self._socket
        if connected is not None:
            # TCP's shutdown, not the TLS socket's own: that one is not made for a second thread.
            with suppress(OSError):
                socket.shutdown(connected, SHUT_RDWR)


_watchdog: ContextVar[Watchdog | None] = ContextVar("watchdog", default=None)


def _attended(connection: HTTPConnection) -> None:
    watchdog = _watchdog.get()
    if watchdog is not None:
        watchdog.attend(connection)


class _Connection(HTTPConnection):
    """Shows itself to the watchdog before each step that may take long."""

    def connect(self) -> None:
        _attended(self)
        super().connect()

    def request(self, *arguments: Any, **options: Any) -> None:
        _attended(self)
        super().request(*arguments, **options)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        _attended(self)
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def checked_url(name: str, text: str) -> Url:
    """Return the parsed address of a vendor.

    Raises:
        ConfigurationError: it is no URL, or would send a key over the network in clear text.
    """
    try:
        url = parse_url(text)
    except ValueError:
        raise ConfigurationError(f"The address of {name} is not a URL.") from None
    if not url.host or url.scheme not in ("https", "http") or url.auth or url.query or url.fragment:
        raise ConfigurationError(f"The address of {name} must be https://host[:port][/path] and nothing else.")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ConfigurationError(f"The address of {name} must be https: plain HTTP is for this machine only.")
    return url


def open_pool(url: Url) -> HTTPConnectionPool:
    """Return the pool of connections to a vendor; it connects when first used."""
    assert url.host is not None
    if url.scheme == "http":
        return _Pool(url.host, url.port, maxsize=KEPT_CONNECTIONS)
    return _TlsPool(url.host, url.port, maxsize=KEPT_CONNECTIONS, ssl_context=tls_context())


def tls_context() -> ssl.SSLContext:
    """Return a context that verifies with the system's roots, or certifi's on a system that has none."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath:
        return ssl.create_default_context()
    try:
        import certifi
    except ImportError:
        raise ConfigurationError("This system has no root certificates: set SSL_CERT_FILE.") from None
    return ssl.create_default_context(cafile=certifi.where())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
