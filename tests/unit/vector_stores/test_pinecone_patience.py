"""Waiting for reads that lag behind."""

import pytest

from chatsphere.adapters.pinecone.patience import Patience
from tests.loopback.pinecone_server import VirtualTime


@pytest.mark.parametrize("seconds", [0.0, 0.01, 3.0, 60.0])
def test_it_lasts_as_long_as_it_may(seconds: float) -> None:
    time = VirtualTime()
    patience = Patience(seconds, sleep=time.sleep, monotonic=time.monotonic)

    looks = 1
    while patience.pause():
        looks += 1

    assert time.now == pytest.approx(seconds)
    # Two looks at least, then fewer and fewer: about one a second.
    assert 2 <= looks <= 7 + seconds


def test_the_second_look_comes_at_once() -> None:
    time = VirtualTime()
    patience = Patience(5, sleep=time.sleep, monotonic=time.monotonic)

    assert patience.pause()
    assert time.now == 0


def test_time_that_passes_between_the_looks_counts() -> None:
    time = VirtualTime()
    patience = Patience(5, sleep=time.sleep, monotonic=time.monotonic)
    patience.pause()
    time.now = 5.1

    assert not patience.pause()
