"""A deployment waits for a network that is just coming up."""

from collections.abc import Callable

import pytest

from chatsphere.db.deployment import PAUSE_SECONDS, once_reachable
from chatsphere.errors import ConfigurationError, UnavailableError


class VirtualTime:
    """Time that only pausing lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds


def after(seconds: float, time: VirtualTime) -> Callable[[], str]:
    def load() -> str:
        if time.now < seconds:
            raise UnavailableError
        return "settings"

    return load


def test_it_waits_as_long_as_nothing_answers() -> None:
    time = VirtualTime()
    found = once_reachable(after(60, time), seconds=180, pause=time.pause, clock=lambda: time.now)
    assert (found, time.now) == ("settings", 60)


def test_it_gives_up_in_the_end() -> None:
    time = VirtualTime()
    with pytest.raises(UnavailableError):
        once_reachable(after(1000, time), seconds=180, pause=time.pause, clock=lambda: time.now)
    assert 180 < time.now <= 180 + PAUSE_SECONDS


def test_what_is_wrong_is_not_tried_again() -> None:
    time = VirtualTime()

    def load() -> str:
        raise ConfigurationError("ADMIN_DATABASE_URL: Field required")

    with pytest.raises(ConfigurationError):
        once_reachable(load, pause=time.pause, clock=lambda: time.now)
    assert time.now == 0
