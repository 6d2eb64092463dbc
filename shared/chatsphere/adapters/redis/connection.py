"""One connection to a server: commands and replies of RESP, the protocol of Redis, version 2."""

import socket
import ssl
from collections.abc import Sequence
from typing import Final

from chatsphere.adapters.redis.address import RedisAddress

MAX_REPLY: Final = 1024 * 1024
"""Bytes of a reply at most; longer ones are none of ours."""

MAX_ITEMS: Final = 100_000
"""Items of a reply at most, likewise."""

Reply = bytes | int | None | list["Reply"]


class ReplyError(Exception):
    """The server refused a command, or said what nobody understands."""


class RedisConnection:
    """An open connection that has named itself. Each wait is for `seconds` at most.

    Raises:
        OSError: it cannot be opened, or breaks, or the server is silent; of no use any more. So is one that raised
            `ReplyError`.
    """

    def __init__(self, address: RedisAddress, seconds: float) -> None:
        self._socket = _opened(address, seconds)
        self._replies = self._socket.makefile("rb")
        try:
            self._introduce(address)
        except BaseException:
            self.close()
            raise

    def execute(self, *command: bytes) -> Reply:
        """Send a command and return the server's reply: a list from `SCAN`, and from no other."""
        self._socket.sendall(_encoded(command))
        reply = self._reply()
        if isinstance(reply, list) and command[0] != b"SCAN":
            raise ReplyError
        return reply

    def close(self) -> None:
        """Close it; what was sent may still take effect."""
        self._replies.close()
        self._socket.close()

    def _introduce(self, address: RedisAddress) -> None:
        if address.password is not None:
            named = [address.user.encode()] if address.user else []
            self.execute(b"AUTH", *named, address.password.encode())
        if address.database:
            self.execute(b"SELECT", str(address.database).encode())

    def _reply(self) -> Reply:
        line = self._replies.readline(MAX_REPLY)
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*" and int(rest) <= MAX_ITEMS:
            return [self._reply() for _ in range(int(rest))]
        # An error's text may hold what was sent.
        raise ReplyError

    def _bulk(self, length: int) -> bytes | None:
        if length < 0:
            return None
        if length > MAX_REPLY:
            raise ReplyError
        value = self._replies.read(length + 2)
        if len(value) != length + 2:
            raise ConnectionError("the server closed the connection")
        return value[:-2]


def _opened(address: RedisAddress, seconds: float) -> socket.socket:
    plain = socket.create_connection((address.host, address.port), timeout=seconds)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.tls:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
    except BaseException:
        plain.close()
        raise


def _encoded(command: Sequence[bytes]) -> bytes:
    words = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in command)
    return b"*%d\r\n%b" % (len(command), words)
