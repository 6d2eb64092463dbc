"""Jobs that go on by themselves are followed through a restart of the API."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from chatsphere.cli import training, transfers
from chatsphere.cli.errors import UnreachableError
from chatsphere.cli.output import Output


class RestartingApi:
    """Nothing answers who does not wait."""

    def __init__(self, answer: Mapping[str, Any], *, waits: bool = False) -> None:
        self._answer = answer
        self._waits = waits

    def patient(self) -> "RestartingApi":
        return RestartingApi(self._answer, waits=True)

    def get(self, _: str) -> Mapping[str, Any]:
        if not self._waits:
            raise UnreachableError("Nothing answers.")
        return self._answer


@pytest.fixture
def output() -> Output:
    return Output(as_json=True)


def test_a_transfer_is_followed_through_a_restart(output: Output) -> None:
    answer = {"status": "done", "documents_done": 1, "documents_total": 1}
    session: Any = SimpleNamespace(client=RestartingApi(answer), output=output)
    assert transfers.follow(session, "Ada", "/bot-imports/i", lambda now: bool(now["status"] == "done")) == answer


def test_a_training_run_is_followed_through_a_restart(output: Output) -> None:
    run = {"id": "r", "bot_id": "b", "status": "running", "total_batches": 1, "done_batches": 0, "estimate": None}
    ended = run | {"status": "succeeded", "done_batches": 1, "memory_left": 0}
    session: Any = SimpleNamespace(client=RestartingApi(ended), output=output)
    bots = [{"id": "b", "name": "Ada"}]
    assert training.follow(session, bots, [run]) == [ended]
    assert training.follow_memory(session, bots, [run | {"memory_left": 1}]) == [ended]


def test_a_run_that_waits_for_the_budget_keeps_nobody_waiting(output: Output) -> None:
    run = {"id": "r", "bot_id": "b", "status": "running", "total_batches": 1, "done_batches": 0, "estimate": None}
    waits = run | {"memory_left": 1, "awaits_budget_since": "2026-01-01T00:00:00Z"}
    session: Any = SimpleNamespace(client=RestartingApi(waits | {"memory_left": 0}), output=output)
    bots = [{"id": "b", "name": "Ada"}]
    assert training.follow_memory(session, bots, training.follow(session, bots, [waits])) == [waits]
