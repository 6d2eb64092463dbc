"""Steps of a scheduled run."""

import pytest

from chatsphere.scheduled_steps import run_each


def test_each_step_says_what_it_did() -> None:
    assert run_each({"one": lambda: 1, "two": lambda: 2}) == {"one": 1, "two": 2}


def test_a_step_that_fails_keeps_no_other_from_its_own() -> None:
    ran: list[str] = []

    def fail() -> int:
        raise KeyError("first")

    def work() -> int:
        ran.append("second")
        return 1

    with pytest.raises(KeyError):
        run_each({"first": fail, "second": work})
    assert ran == ["second"]
