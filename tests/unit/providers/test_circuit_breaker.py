import pytest

from chatsphere.adapters.upstream.circuit_breaker import CircuitBreaker
from chatsphere.errors import ProviderOverloadedError
from tests.unit.providers.conftest import Timeline


@pytest.fixture
def breaker(timeline: Timeline) -> CircuitBreaker:
    return CircuitBreaker("Vendor", failures=3, seconds=15, monotonic=timeline.monotonic)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.admit()
        breaker.failed()


def is_open(breaker: CircuitBreaker) -> bool:
    try:
        breaker.admit()
    except ProviderOverloadedError:
        return True
    return False


def test_it_stays_closed_below_the_limit(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert not is_open(breaker)


def test_a_success_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert not is_open(breaker)


def test_it_opens_at_the_limit_for_its_time(breaker: CircuitBreaker, timeline: Timeline) -> None:
    fail(breaker, 3)
    timeline.now += 14.9
    assert is_open(breaker)


def test_then_one_trial_is_let_through_and_no_other(breaker: CircuitBreaker, timeline: Timeline) -> None:
    fail(breaker, 3)
    timeline.now += 15
    assert [is_open(breaker), is_open(breaker)] == [False, True]


def test_a_trial_that_succeeds_closes_it(breaker: CircuitBreaker, timeline: Timeline) -> None:
    fail(breaker, 3)
    timeline.now += 15
    breaker.admit()
    breaker.succeeded()
    assert not is_open(breaker)


def test_a_trial_that_fails_opens_it_again(breaker: CircuitBreaker, timeline: Timeline) -> None:
    fail(breaker, 3)
    timeline.now += 15
    fail(breaker, 1)
    timeline.now += 14.9
    assert is_open(breaker)


def test_a_trial_that_never_reports_does_not_keep_it_open(breaker: CircuitBreaker, timeline: Timeline) -> None:
    fail(breaker, 3)
    timeline.now += 15
    breaker.admit()
    timeline.now += 15
    assert not is_open(breaker)
