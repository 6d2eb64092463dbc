"""The guard that keeps tests on this machine."""

import socket

import pytest


def test_leaving_the_machine_is_refused() -> None:
    with socket.socket() as connection, pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        connection.connect(("192.0.2.1", 80))
