"""A Redis server on loopback: fakeredis', which speaks the protocol over TCP."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from fakeredis import TcpFakeServer


@contextmanager
def running_redis() -> Iterator[str]:
    """Start a server and yield its URL."""
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    # A connection that a client keeps open must not keep the test from ending.
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
