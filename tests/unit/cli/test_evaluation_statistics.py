"""The statistics of `chatsphere eval`, against numbers that were worked out by hand."""

import random
from math import log2

import pytest

from chatsphere.cli import metrics
from chatsphere.cli.evaluation.calibrating import FAR, HELD_OUT, Search, calibrate, halves
from chatsphere.cli.evaluation.dataset import Dataset, Passage, Question
from chatsphere.cli.evaluation.discrimination import (
    expected_calibration_error,
    highest_threshold,
    reliability,
    roc_auc,
    share_below,
)
from chatsphere.cli.evaluation.intervals import difference_of, mean_of, resampled_pairs
from chatsphere.cli.evaluation.logistic import Example, fit
from chatsphere.cli.evaluation.matching import contains, contains_words, f1, normalised


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    # 0.9 beats three of three, 0.5 one and ties with one, 0.2 none: (3 + 1.5 + 0) of 9 pairs.
    assert roc_auc([0.9, 0.5, 0.2], [0.6, 0.5, 0.3]) == pytest.approx(4.5 / 9)
    assert roc_auc([0.8, 0.9], [0.1, 0.2]) == 1.0
    assert roc_auc([0.5] * 3, [0.5] * 2) == 0.5
    with pytest.raises(ValueError, match="both groups"):
        roc_auc([], [0.1])


def test_ndcg_is_gain_by_discount_over_the_best_there_could_be() -> None:
    found = metrics.ndcg(["a", "x", "b"], {"a": 1, "b": 3, "c": 2}, 3)

    best = 3 + 2 / log2(3) + 1 / 2
    assert found == pytest.approx((1 + 3 / 2) / best)


def test_the_same_questions_and_seed_give_the_same_interval() -> None:
    chance = random.Random(3)
    values = [chance.random() for _ in range(50)]

    assert mean_of(values) == mean_of(values)
    assert mean_of(values, seed=8) != mean_of(values)


def test_an_interval_is_as_wide_as_the_theory_has_it() -> None:
    found = mean_of([0.0, 1.0] * 200)

    # The standard error of a share of a half of 400 is 0.025.
    assert found.value == 0.5
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.005)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.005)


def test_pairs_find_a_difference_that_two_means_would_not() -> None:
    chance = random.Random(1)
    base = [chance.random() for _ in range(100)]
    a_little_more = [value + 0.01 + 0.005 * chance.random() for value in base]

    assert difference_of(a_little_more, base).verdict == "better"
    assert difference_of(base, a_little_more).verdict == "worse"
    assert mean_of(base).high > mean_of(a_little_more).low
    assert difference_of(base, base[::-1]).verdict == "no difference"
    with pytest.raises(ValueError):
        difference_of(base, base[1:])


def test_the_interval_of_an_area_holds_it() -> None:
    found = resampled_pairs([0.9, 0.8, 0.4, 0.7], [0.1, 0.5, 0.3], roc_auc)

    assert found.low < found.value <= found.high
    assert found.value == pytest.approx(11 / 12)


def test_the_calibration_error_weighs_each_bin_by_its_questions() -> None:
    bins = reliability([0.95, 0.95, 0.15], [0.95, 0.15, 0.15, 0.15, 0.15])

    assert [(each.count, each.share_positive) for each in bins] == [(5, 0.2), (3, pytest.approx(2 / 3))]
    assert expected_calibration_error(bins) == pytest.approx((5 * 0.05 + 3 * (0.95 - 2 / 3)) / 8)
    assert reliability([1.0], [])[0].low == 0.9


def test_a_threshold_refuses_no_more_of_the_answerable_than_it_may() -> None:
    scores = [step / 100 for step in range(100)]

    threshold = highest_threshold(scores, most_false=0.02)

    assert threshold == 0.02
    assert share_below(scores, threshold) == 0.02
    assert highest_threshold([0.0] * 5, most_false=0.02) == 0.0


def test_a_fit_finds_the_coefficients_that_made_the_examples() -> None:
    chance = random.Random(5)
    examples = []
    for _ in range(4000):
        one = Example(chance.random(), chance.random(), answerable=False)
        odds = -4 + 6 * one.dense + 2 * one.coverage
        examples.append(Example(one.dense, one.coverage, chance.random() < 1 / (1 + 2.718281828**-odds)))

    found = fit(examples)

    assert found.intercept == pytest.approx(-4, abs=0.5)
    assert found.dense == pytest.approx(6, abs=0.6)
    assert found.coverage == pytest.approx(2, abs=0.5)


def test_examples_that_are_told_apart_completely_have_a_finite_fit() -> None:
    found = fit([Example(0.1, 0.1, False), Example(0.2, 0.2, False), Example(0.8, 0.8, True), Example(0.9, 0.9, True)])

    assert found.confidence(Example(0.9, 0.9, True)) > 0.99
    assert found.confidence(Example(0.1, 0.1, False)) < 0.01
    with pytest.raises(ValueError, match="both kinds"):
        fit([Example(0.1, 0.1, True)] * 3)


def searched(set_name: str, chance: random.Random, count: int) -> list[Search]:
    found = []
    for number in range(count):
        found.append(Search("answerable", set_name, str(number), Example(chance.gauss(0.7, 0.1), 0.8, True)))
        kind = FAR if number % 2 else HELD_OUT
        found.append(Search(kind, set_name, str(number), Example(chance.gauss(0.3, 0.1), 0.4, False)))
    return found


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
def test_each_search_is_judged_by_a_fit_that_had_not_seen_it(names: tuple[str, ...]) -> None:
    chance = random.Random(2)
    found = [search for name in names for search in searched(name, chance, 40)]

    calibrated = calibrate(found)

    positive = [score for score, one in zip(calibrated.unseen, found, strict=True) if one.example.answerable]
    negative = [score for score, one in zip(calibrated.unseen, found, strict=True) if not one.example.answerable]
    assert roc_auc(positive, negative) > 0.95
    assert share_below(positive, calibrated.threshold) <= 0.02
    # The scores of the fit to all are others.
    assert [calibrated.fit.confidence(one.example) for one in found] != calibrated.unseen


def test_no_passage_answers_questions_of_both_halves() -> None:
    passages = [Passage(name, name) for name in "abcd"]
    questions = [
        Question("1", "?", {"a": 1}),
        Question("2", "?", {"b": 1}),
        Question("3", "?", {"a": 1, "c": 1}),
        Question("4", "?", {"a": 1, "b": 1}),
        Question("5", "?", {"d": 1, "a": 0}),
    ]

    cut = halves(Dataset("set", passages, questions))

    first, second = cut.without
    assert not first & second
    assert [one.id for half in cut.questions for one in half] == ["1", "3", "2", "5"]


@pytest.mark.parametrize(
    ("answer", "gold", "held", "as_words"),
    [
        ("It was the Denver Broncos, in 2016.", ["denver broncos"], True, True),
        ("They won 17 games.", ["7"], True, False),
        ("A “golden anniversary”", ["golden anniversary"], True, True),
        ("Ungefähr im Jahr １９９９", ["1999"], True, True),
        ("The end", ["an end"], True, True),
        ("Nothing", ["something"], False, False),
        ("anything", ["the"], False, False),
        ("答えは東京です", ["東京"], True, False),
    ],
)
def test_a_gold_string_is_found_as_squad_compares(answer: str, gold: list[str], held: bool, as_words: bool) -> None:
    assert contains(answer, gold) is held
    assert contains_words(answer, gold) is as_words


def test_words_in_common_are_measured_as_squad_does() -> None:
    assert normalised("The  Cat, a dog!") == "cat dog"
    # Two of three words said, two of two wanted.
    assert f1("the old grey cat", ["Grey cat", "dog"]) == pytest.approx(2 * (2 / 3) / (2 / 3 + 1))
    assert f1("cat", []) == 0.0
