"""Things that are made side by side come in order, and none is left over."""

from contextlib import closing
from threading import Barrier, Event

import pytest

from chatsphere.transfers.ahead import ahead


def test_results_come_in_order_whichever_was_ready_first() -> None:
    second = Event()
    dropped: list[int] = []

    def make(item: int) -> int:
        if item == 0:
            assert second.wait(30)
        if item == 1:
            second.set()
        return item * 10

    assert list(ahead(make, range(5), at_once=2, drop=dropped.append)) == [0, 10, 20, 30, 40]
    assert not dropped


def test_what_was_made_and_is_not_taken_is_dropped() -> None:
    # Given three that are made at the same time
    dropped: list[int] = []
    together = Barrier(3)

    def make(item: int) -> int:
        together.wait(30)
        return item

    # When the caller takes one of them
    with closing(ahead(make, range(100), at_once=3, drop=dropped.append)) as made:
        assert next(made) == 0
    # Then
    assert dropped == [1, 2]


def test_what_was_made_behind_a_failure_is_dropped() -> None:
    dropped: list[int] = []
    together = Barrier(3)

    def make(item: int) -> int:
        together.wait(30)
        return item // item * item

    with pytest.raises(ZeroDivisionError):
        next(ahead(make, range(100), at_once=3, drop=dropped.append))
    assert dropped == [1, 2]
