"""Loopback ports."""

import socket

from infra.local.ports import LOOPBACK, listening_socket


def test_connections_answer_without_nagles_delay() -> None:
    with listening_socket(0) as listener, socket.create_connection((LOOPBACK, listener.getsockname()[1])):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
