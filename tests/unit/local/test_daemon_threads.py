"""Work that a run does not wait for when it is stopped."""

import asyncio
from threading import Event

import pytest

from infra.local.daemon_threads import in_daemon_thread
from infra.local.errors import ProviderSettingsError


def test_a_result_and_an_error_reach_whoever_waits() -> None:
    done: list[str] = []

    def fails() -> None:
        raise ProviderSettingsError("no such index")

    asyncio.run(in_daemon_thread(lambda: done.append("work")))
    with pytest.raises(ProviderSettingsError, match="no such index"):
        asyncio.run(in_daemon_thread(fails))
    assert done == ["work"]


def test_a_cancelled_run_ends_while_its_work_still_hangs() -> None:
    begun, release, ended = Event(), Event(), Event()

    def hangs() -> None:
        begun.set()
        release.wait(60)
        ended.set()

    async def run() -> None:
        task = asyncio.create_task(in_daemon_thread(hangs))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert not ended.is_set()
    release.set()
    assert ended.wait(60)
