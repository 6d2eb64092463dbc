"""Doing for several things at once what mostly waits, and having the results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    make: Callable[[Item], Result], items: Iterable[Item], *, at_once: int, drop: Callable[[Result], None]
) -> Generator[Result, None, None]:
    """Yield what is made of each item, in their order, while that of the next ones is being made.

    `drop` is told what was made and is not taken any more, as the caller has ended, or one before it has failed.
    """
    left = iter(items)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="ahead") as threads:
        try:
            while True:
                for item in islice(left, at_once - len(waiting)):
                    waiting.append(threads.submit(copy_context().run, make, item))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                if not future.cancel() and future.exception() is None:
                    drop(future.result())
