"""Which worker gets an invocation, where each may be at several."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from infra.local.dispatch import Dispatch
from infra.local.errors import WorkerDiedError
from infra.local.invocations import Invocation
from infra.local.worker import Worker

Result = TypeVar("Result")


class Pool:
    """A dispatch with workers that listen as often as they have room."""

    def __init__(self, workers: int, capacity: int) -> None:
        self.shortages = 0
        self.dispatch = Dispatch("f", 30, self._note_shortage)
        self.workers = [Worker("f", 30, capacity) for _ in range(workers)]
        self.listening = [
            asyncio.ensure_future(self.dispatch.next_invocation(worker))
            for worker in self.workers
            for _ in range(capacity)
        ]

    def _note_shortage(self) -> None:
        self.shortages += 1

    async def submit(self) -> Invocation:
        """Submit an invocation, and let those who listen take it up."""
        await asyncio.sleep(0)
        invocation = Invocation(b"{}")
        self.dispatch.submit(invocation)
        await asyncio.sleep(0)
        return invocation

    @property
    def loads(self) -> list[int]:
        """How many invocations each worker is at."""
        return sorted(worker.load for worker in self.workers)

    def close(self) -> None:
        """End all that listens."""
        for each in self.listening:
            each.cancel()


def with_pool(workers: int, capacity: int, use: Callable[[Pool], Awaitable[Result]]) -> Result:
    async def scenario() -> Result:
        pool = Pool(workers, capacity)
        try:
            return await use(pool)
        finally:
            pool.close()

    return asyncio.run(scenario())


def finish(invocation: Invocation) -> None:
    invocation.begin_response().finish()


def test_work_is_spread_before_it_is_shared() -> None:
    async def use(pool: Pool) -> tuple[list[list[int]], int]:
        loads = []
        for _ in range(4):
            await pool.submit()
            loads.append(pool.loads)
        return loads, pool.shortages

    loads, shortages = with_pool(2, 2, use)
    assert loads == [[0, 1], [1, 1], [1, 2], [2, 2]]
    # Another process was asked for as soon as two had to share one.
    assert shortages == 2


def test_what_finds_no_room_waits_for_it() -> None:
    async def use(pool: Pool) -> tuple[int, int, int]:
        first, *_ = [await pool.submit() for _ in range(3)]
        waiting = pool.dispatch.waiting
        finish(first)
        worker = next(worker for worker in pool.workers if worker.holding(first.request_id) is None)
        pool.listening.append(asyncio.ensure_future(pool.dispatch.next_invocation(worker)))
        await asyncio.sleep(0)
        return waiting, pool.dispatch.waiting, worker.load

    assert with_pool(1, 2, use) == (1, 0, 2)


def test_a_worker_that_ends_fails_what_it_was_at_and_nothing_else() -> None:
    async def use(pool: Pool) -> tuple[bool, list[bool]]:
        answered, *others = [await pool.submit() for _ in range(4)]
        finish(answered)
        ending = pool.workers[0]
        held = [ending.holding(each.request_id) is not None for each in others]
        ending.give_up(WorkerDiedError("it ended"))
        failed = [each.response.done() and isinstance(each.response.exception(), WorkerDiedError) for each in others]
        return answered.response.exception() is None, [a == b for a, b in zip(held, failed, strict=True)] + held

    is_answered, found = with_pool(2, 2, use)
    same, held = found[:3], found[3:]
    assert is_answered
    assert all(same)
    assert any(held)
    assert not all(held)


def test_a_worker_is_idle_only_where_it_is_at_nothing() -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        invocation = await pool.submit()
        busy = len(pool.dispatch.idle_longer_than(-1))
        finish(invocation)
        return busy, len(pool.dispatch.idle_longer_than(-1))

    assert with_pool(1, 2, use) == (0, 1)


def test_a_process_that_asks_no_longer_is_given_nothing_there() -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        await asyncio.sleep(0)
        pool.listening[0].cancel()
        await asyncio.sleep(0)
        await pool.submit()
        await pool.submit()
        return pool.loads[0], pool.dispatch.waiting

    assert with_pool(1, 2, use) == (1, 1)


def test_what_never_reached_its_process_goes_to_another() -> None:
    async def use(pool: Pool) -> tuple[int, int, list[int]]:
        await asyncio.sleep(0)
        invocation = Invocation(b"{}")
        pool.dispatch.submit(invocation)
        place = next(n for n, worker in enumerate(pool.workers) if worker.load)
        pool.listening[place].cancel()
        await asyncio.sleep(0)
        first = pool.workers[place].load
        pool.listening[1 - place].cancel()
        await asyncio.sleep(0)
        return first, pool.dispatch.waiting, pool.loads

    # When each of two is gone before it is told, Then it was the second's, and waits at last
    assert with_pool(2, 1, use) == (0, 1, [0, 0])


def test_a_worker_that_is_being_ended_is_given_nothing_though_it_asks_once_more() -> None:
    async def use(pool: Pool) -> tuple[int, int]:
        waiting = [await pool.submit() for _ in range(2)]
        (worker,) = pool.workers
        finish(waiting[0])
        worker.retired = True
        pool.listening.append(asyncio.ensure_future(pool.dispatch.next_invocation(worker)))
        await pool.submit()
        return pool.dispatch.waiting, worker.load

    assert with_pool(1, 1, use) == (2, 0)
