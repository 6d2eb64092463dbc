"""Measures against values worked out by hand and by trec_eval's definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsphere.cli import metrics

GRADES = {"a": 3, "b": 2, "c": 3, "d": 0, "e": 1, "f": 2}


def test_ndcg_takes_grades_as_gains() -> None:
    # The worked example of Wikipedia's article on discounted cumulative gain, without a further judged document.
    dcg = 3 + 2 / math.log2(3) + 3 / 2 + 0 + 1 / math.log2(6) + 2 / math.log2(7)
    ideal = 3 + 3 / math.log2(3) + 2 / 2 + 2 / math.log2(5) + 1 / math.log2(6)

    assert dcg == pytest.approx(6.861, abs=0.001)
    assert metrics.ndcg(list("abcdef"), GRADES, 10) == pytest.approx(dcg / ideal)


def test_ndcg_is_cut_at_k_on_both_sides() -> None:
    assert metrics.ndcg(list("bca"), GRADES, 1) == pytest.approx(2 / 3)
    assert metrics.ndcg(list("ac"), GRADES, 2) == 1.0
    assert metrics.ndcg(["x", "y", "a"], GRADES, 2) == 0.0


def test_negative_grades_are_not_relevant() -> None:
    assert metrics.ndcg(["a", "b"], {"a": -1, "b": 1}, 10) == pytest.approx(1 / math.log2(3))
    assert metrics.recall(["a"], {"a": -1, "b": 1}, 10) == 0.0
    assert metrics.reciprocal_rank(["a", "b"], {"a": -1, "b": 1}, 10) == 0.5


def test_recall_counts_the_relevant_among_the_first() -> None:
    grades = {"a": 1, "b": 2, "c": 0}
    assert metrics.recall(["c", "a", "x", "b"], grades, 2) == 0.5
    assert metrics.recall(["c", "a", "x", "b"], grades, 4) == 1.0


def test_reciprocal_rank_is_of_the_first_relevant() -> None:
    assert metrics.reciprocal_rank(["x", "y", "a", "b"], GRADES, 10) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(["x", "y", "a"], GRADES, 2) == 0.0


def test_nothing_relevant_is_zero() -> None:
    assert metrics.ndcg(["a"], {}, 10) == metrics.recall(["a"], {}, 10) == metrics.reciprocal_rank(["a"], {}, 10) == 0


def test_a_document_ranked_twice_is_an_error_and_not_counted_twice() -> None:
    for measure in (metrics.ndcg, metrics.recall, metrics.reciprocal_rank):
        with pytest.raises(ValueError, match="twice"):
            measure(["a", "a"], GRADES, 10)


def test_passages_fold_to_documents_at_their_best_rank_and_ties_keep_their_order() -> None:
    assert metrics.fold(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.5), (0.95, 3.85), (1.0, 4.0)])
def test_percentiles_are_interpolated(share: float, expected: float) -> None:
    assert metrics.percentile([4.0, 1.0, 3.0, 2.0], share) == pytest.approx(expected)


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        metrics.percentile([], 0.5)


@given(st.permutations(list("abcdef")), st.integers(1, 8))
def test_no_ranking_beats_the_ideal_one(ranking: list[str], k: int) -> None:
    ideal = sorted(GRADES, key=lambda document: -GRADES[document])
    assert 0.0 <= metrics.ndcg(ranking, GRADES, k) <= metrics.ndcg(ideal, GRADES, k) + 1e-12
    assert metrics.ndcg(ideal, GRADES, k) == pytest.approx(1.0)
