"""Whose message comes next."""

from infra.local.fairness import NOISY_IN_FLIGHT, RECENT_SECONDS, Fairness
from tests.bench.bench_fairness import SCENARIOS, FairQueue, PlainQueue, quiet_dwell


def test_who_has_used_the_consumers_most_waits_for_the_others() -> None:
    fairness = Fairness()
    fairness.receive("1", "a", 0)
    fairness.settle("1", 10)
    fairness.receive("2", "a", 10)
    assert fairness.ranks({"a", "b"}, 11) == {"a": (1, 1), "b": (0, 0)}


def test_a_message_that_takes_long_counts_before_it_ends() -> None:
    fairness = Fairness()
    fairness.receive("1", "a", 0)
    assert fairness.ranks({"a", "b"}, 60)["a"] > fairness.ranks({"a", "b"}, 60)["b"]


def test_of_noisy_groups_the_one_with_the_fewest_in_flight_is_next() -> None:
    fairness = Fairness()
    for number, group in enumerate("aab"):
        fairness.receive(str(number), group, 0)
    ranks = fairness.ranks({"a", "b"}, 5)
    assert ranks["b"] < ranks["a"]


def test_many_in_flight_are_noisy_before_any_time_has_passed() -> None:
    fairness = Fairness()
    for number in range(NOISY_IN_FLIGHT):
        fairness.receive(str(number), "a", 0)
    assert fairness.ranks({"a"}, 0) == {"a": (1, NOISY_IN_FLIGHT)}


def test_after_a_while_a_group_is_quiet_again() -> None:
    fairness = Fairness()
    fairness.receive("1", "a", 0)
    fairness.settle("1", 10)
    assert fairness.ranks({"a"}, 10 + RECENT_SECONDS + 1) == {"a": (0, 0)}


def test_settling_twice_counts_once() -> None:
    fairness = Fairness()
    fairness.receive("1", "a", 0)
    for _ in range(2):
        fairness.settle("1", 1)
    fairness.settle("unknown", 1)
    assert fairness.ranks({"a"}, 1) == {"a": (1, 0)}


def test_ten_thousand_files_of_one_tenant_do_not_delay_the_others() -> None:
    scenario = SCENARIOS[0]
    alone = quiet_dwell(scenario, PlainQueue(), noisy=False)
    fair = quiet_dwell(scenario, FairQueue(), noisy=True)
    plain = quiet_dwell(scenario, PlainQueue(), noisy=True)
    assert fair[-1] < alone[-1] + 10
    assert plain[-1] > 100 * fair[-1]
