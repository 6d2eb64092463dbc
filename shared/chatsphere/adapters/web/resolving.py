"""Names to addresses: looked up once, all of them checked, and then connected to as they were checked."""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from chatsphere.errors import UrlNotAllowedError, UrlUnreachableError
from chatsphere.knowledge.web.addresses import is_public
from chatsphere.knowledge.web.urls import WebUrl

Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Sequence[str]]
"""Returns the addresses of a name, as text; raises OSError where it has none."""


def system_resolver(host: str) -> Sequence[str]:
    """Ask the system."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def checked_addresses(url: WebUrl, resolve: Resolve, *, seconds: float, private: bool) -> list[Address]:
    """Return where the URL's host is. `private`: its addresses may be on a network of somebody's own.

    One address that may not be asked spoils all: a name that leads to both kinds is a trap.

    Raises:
        UrlNotAllowedError: an address is none of the public internet.
        UrlUnreachableError: the name is unknown, or nobody says in time.
    """
    addresses = [url.address] if url.address is not None else _resolved(url.host, resolve, seconds)
    if not private and not all(is_public(address) for address in addresses):
        raise UrlNotAllowedError("The URL's host is not on the public internet.")
    return addresses


def connect(addresses: Sequence[Address], port: int, seconds: float) -> socket.socket:
    """Connect to the first address that answers, all tries together in `seconds`.

    Raises:
        UrlUnreachableError: none does.
    """
    deadline = monotonic() + seconds
    for address in addresses:
        left = deadline - monotonic()
        if left <= 0:
            break
        with suppress(OSError):
            # An address, not a name: nothing is looked up here.
            connected = socket.create_connection((str(address), port), timeout=left)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connected
    raise UrlUnreachableError


def _resolved(host: str, resolve: Resolve, seconds: float) -> list[Address]:
    """Ask in a thread of its own: the system's resolver knows no time limit."""
    answers: SimpleQueue[list[Address]] = SimpleQueue()

    def look_up() -> None:
        found: list[Address] = []
        with suppress(OSError, ValueError):
            found = [ip_address(text) for text in dict.fromkeys(resolve(host))]
        answers.put(found)

    Thread(target=look_up, daemon=True).start()
    try:
        addresses = answers.get(timeout=seconds)
    except Empty:
        addresses = []
    if not addresses:
        raise UrlUnreachableError("The URL's host is not known.")
    return addresses
