"""How long a client waits."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chatsphere.cli.retry import PATIENT, RetryPolicy, seconds_of


def test_waits_grow_and_stay_bounded() -> None:
    policy = RetryPolicy(attempts=20, first_wait=1, longest_wait=4)

    waits = [policy.wait_before(attempt) for attempt in range(2, 21)]

    assert all(wait is not None and 0 <= wait <= 4 for wait in waits)


def test_the_servers_wish_is_kept_and_not_undercut() -> None:
    for _ in range(50):
        wait = RetryPolicy().wait_before(2, "8")
        assert wait is not None
        assert 8 <= wait <= 10


def test_a_zero_wait_is_no_wait() -> None:
    assert RetryPolicy().wait_before(2, "0") == 0


def test_it_gives_up_after_its_attempts_or_when_asked_to_wait_for_long() -> None:
    assert RetryPolicy(attempts=3).wait_before(4) is None
    assert RetryPolicy(attempts=3).wait_before(4, "0") is None
    assert RetryPolicy().wait_before(2, "61") is None


def test_only_long_jobs_wait_for_a_connection() -> None:
    assert not RetryPolicy().waits_for_connection
    assert PATIENT.waits_for_connection


@pytest.mark.parametrize(("header", "expected"), [(None, None), ("", None), ("soon", None), ("7", 7.0), (" 7 ", 7.0)])
def test_retry_after_in_seconds(header: str | None, expected: float | None) -> None:
    assert seconds_of(header) == expected


def test_retry_after_as_a_date() -> None:
    at = datetime.now(UTC) + timedelta(seconds=30)
    seconds = seconds_of(format_datetime(at, usegmt=True))
    assert seconds is not None
    assert 25 < seconds <= 30
    assert seconds_of(format_datetime(at - timedelta(hours=1), usegmt=True)) == 0
