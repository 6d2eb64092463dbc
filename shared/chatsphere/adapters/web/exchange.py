"""One request to a host that somebody named: to a checked address, within bounds, with nothing of our own."""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_match_hostname import CertificateError

from chatsphere.adapters.upstream.connection import Watchdog
from chatsphere.adapters.web.resolving import Address, connect
from chatsphere.errors import UrlTimedOutError, UrlUnreachableError, UrlUntrustedError
from chatsphere.knowledge.web.urls import WebUrl


@dataclass(frozen=True, slots=True)
class WebRequest:
    """What is asked of whom; `places` are the host's addresses, of which the first that answers is taken."""

    method: str
    url: WebUrl
    places: Sequence[Address]
    headers: Mapping[str, str]
    body: bytes | None = None


@contextmanager
def answer_to(
    request: WebRequest, tls: Callable[[], ssl.SSLContext], *, seconds: float, connect_seconds: float
) -> Iterator[HTTPResponse]:
    """Yield the answer, its body not yet read. All of it, reading included, ends after `seconds`.

    Each request has its own connection, which ends with it; no proxy is asked and no redirect followed.

    Raises:
        UrlTimedOutError, UrlUntrustedError, UrlUnreachableError: no answer, or none that can be read.
    """
    connection = _connection(request, tls, seconds, min(seconds, connect_seconds))
    watchdog = Watchdog(seconds)
    try:
        watchdog.attend(connection)
        connection.request(
            request.method,
            request.url.target,
            body=request.body,
            headers=request.headers,
            preload_content=False,
            decode_content=False,
        )
        watchdog.attend(connection)
        if watchdog.expired:
            # While there was no socket yet that it could have shut down.
            raise UrlTimedOutError
        yield connection.getresponse()
        if watchdog.expired:
            # Cut off, it may look like an answer that has come to its end.
            raise UrlTimedOutError
    # ValueError: a status line or a header that is none.
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise _failure(error, expired=watchdog.expired) from None
    finally:
        watchdog.stop()
        connection.close()


def _failure(error: Exception, *, expired: bool) -> UrlUnreachableError:
    if expired or isinstance(error, TimeoutError):
        return UrlTimedOutError()
    if isinstance(error, ssl.SSLError | CertificateError):
        return UrlUntrustedError()
    return UrlUnreachableError()


class _Connection(HTTPConnection):
    """Goes where it is told; the name is for the Host header, and in the subclass for the certificate."""

    open_socket: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.open_socket()


class _TlsConnection(_Connection, HTTPSConnection):
    pass


def _connection(
    request: WebRequest, tls: Callable[[], ssl.SSLContext], seconds: float, patience: float
) -> HTTPConnection:
    url = request.url

    def open_socket() -> socket.socket:
        connected = connect(request.places, url.port, patience)
        connected.settimeout(seconds)
        return connected

    if url.scheme == "http":
        plain = _Connection(url.host, url.port, timeout=seconds)
        plain.open_socket = open_socket
        return plain
    secure = _TlsConnection(url.host, url.port, timeout=seconds, ssl_context=tls())
    secure.open_socket = open_socket
    return secure
