"""The embedded PostgreSQL, where another program is faster at its port."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from infra.local.errors import PortInUseError
from infra.local.log_file import LogFile
from infra.local.ports import listening_socket, unused_port
from infra.local.postgres import PORTS_TRIED, Postgres
from tests.postgres import NOT_DURABLE


def test_a_port_that_was_taken_meanwhile_is_left_to_its_holder(folder: Path) -> None:
    chosen = list[int]()

    async def start(log: LogFile, taken: int, times: int) -> str | None:
        """Start a server that is told the taken port so often; return who connects, and stop it."""
        chosen.clear()

        def choose_port() -> int:
            chosen.append(taken if len(chosen) < times else unused_port())
            return chosen[-1]

        server = Postgres(folder / "data", choose_port, "test-only", log, NOT_DURABLE)
        try:
            await server.start()
            with psycopg.connect(server.url()) as connection:
                return connection.info.user
        finally:
            await server.stop()

    with listening_socket(0) as holder:
        taken = holder.getsockname()[1]
        # When it is free again at the third try, Then the server is there
        assert asyncio.run(start(LogFile(folder / "first.log"), taken, times=2)) == "postgres"
        assert chosen[:2] == [taken, taken]
        assert len(chosen) == 3
        # When all are taken, Then it is said
        with pytest.raises(PortInUseError, match="could not bind"):
            asyncio.run(start(LogFile(folder / "second.log"), taken, times=PORTS_TRIED))
        assert len(chosen) == PORTS_TRIED
