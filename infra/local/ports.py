"""Loopback TCP ports."""

import socket

LOOPBACK = "127.0.0.1"


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on the loopback `port` (0: any); raises OSError when it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections inherit it. asyncio sets it only where the socket names its protocol, and werkzeug never
        # does; with Nagle's delay every response that is written in two parts takes 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def is_free(port: int) -> bool:
    """Tell whether the loopback `port` can be listened on now."""
    try:
        listening_socket(port).close()
    except OSError:
        return False
    return True


def unused_port() -> int:
    """Return a loopback port that nobody listens on."""
    with listening_socket(0) as listener:
        return int(listener.getsockname()[1])
