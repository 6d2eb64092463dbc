"""Fixtures of the adapters that call vendors."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.loopback.gemini_server import GeminiServer
from tests.unit.providers.scripted_server import ScriptedServer


@dataclass
class Timeline:
    """A clock that moves only when someone sleeps, and remembers for how long they did."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running
