"""A response reaches its reader whole, or ends with an error."""

import asyncio

import pytest

from infra.local.errors import FunctionFailedError, WorkerDiedError
from infra.local.invocations import CHUNKS_AHEAD, Invocation, ResponseStream


async def read(stream: ResponseStream) -> bytes:
    return b"".join([chunk async for chunk in stream])


def test_chunks_in_order() -> None:
    async def scenario() -> bytes:
        stream = ResponseStream()
        reading = asyncio.create_task(read(stream))
        for n in range(3 * CHUNKS_AHEAD):
            await stream.feed(b"%d " % n)
        stream.finish()
        return await reading

    assert asyncio.run(scenario()).split() == [b"%d" % n for n in range(3 * CHUNKS_AHEAD)]


def test_writer_waits_for_a_slow_reader_and_not_for_one_that_left() -> None:
    async def scenario() -> bool:
        stream = ResponseStream()
        for _ in range(CHUNKS_AHEAD):
            await stream.feed(b"x")
        blocked = asyncio.create_task(stream.feed(b"y"))
        await asyncio.sleep(0)
        waited = not blocked.done()
        stream.abandon()
        await blocked
        return waited

    assert asyncio.run(scenario())


def test_failure_in_the_middle_of_a_response() -> None:
    async def scenario() -> None:
        invocation = Invocation(b"{}")
        stream = invocation.begin_response()
        await stream.feed(b"first")
        assert not invocation.settled
        invocation.fail(WorkerDiedError("died"))
        assert invocation.settled
        await read(stream)

    with pytest.raises(WorkerDiedError):
        asyncio.run(scenario())


def test_failure_before_the_response() -> None:
    async def scenario() -> None:
        invocation = Invocation(b"{}")
        invocation.fail(FunctionFailedError("failed"))
        assert invocation.settled
        await invocation.response

    with pytest.raises(FunctionFailedError):
        asyncio.run(scenario())
