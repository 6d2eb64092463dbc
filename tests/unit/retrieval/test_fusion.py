"""Fusion: both sides on one absolute scale."""

import pytest

from chatsphere.knowledge.retrieval.fusion import fuse
from chatsphere.knowledge.retrieval.settings import CANDIDATES, LEXICAL_WEIGHT


def test_what_both_sides_found_comes_before_what_one_found() -> None:
    ranking = fuse({"both": 0.6, "dense": 0.6}, {"both": 5.0, "lexical": 5.0}, total_weight=10.0)

    assert ranking[0][0] == "both"
    assert {key for key, _ in ranking} == {"both", "dense", "lexical"}


def test_the_score_is_the_weighted_mean_of_cosine_and_share() -> None:
    ((_, score),) = fuse({"chunk": 0.5}, {"chunk": 4.0}, total_weight=10.0)

    assert score == pytest.approx((0.5 + LEXICAL_WEIGHT * 0.4) / (1 + LEXICAL_WEIGHT))


def test_a_weak_match_of_common_words_does_not_outweigh_a_near_vector() -> None:
    # Given: of a question worth 20, only a word worth 0.5 was found.
    ranking = fuse({"near": 0.7, "far": 0.5}, {"far": 0.3}, total_weight=20.0)

    assert ranking[0][0] == "near"


def test_alike_cosines_leave_the_order_to_the_words() -> None:
    # Given: a language that the embedding model does not know, where all texts seem alike.
    ranking = fuse({"a": 0.80, "b": 0.79, "c": 0.78}, {"c": 6.0, "b": 2.0}, total_weight=10.0)

    assert [key for key, _ in ranking] == ["c", "b", "a"]


def test_a_full_list_bounds_what_it_left_out() -> None:
    # Given: a hundred nearest chunks; the chunk found by words is at most as near as the last of them.
    dense = {f"near {number}": 0.9 - number / 1000 for number in range(CANDIDATES)}

    ranking = dict(fuse(dense, {"words": 1.0}, total_weight=10.0))

    assert ranking["words"] == pytest.approx((min(dense.values()) + LEXICAL_WEIGHT * 0.1) / (1 + LEXICAL_WEIGHT))


@pytest.mark.parametrize(("dense", "lexical", "weight"), [({}, {}, 0.0), ({}, {}, 5.0), ({"a": 0.1}, {}, 0.0)])
def test_an_empty_side_is_no_error(dense: dict[str, float], lexical: dict[str, float], weight: float) -> None:
    assert [key for key, _ in fuse(dense, lexical, weight)] == list(dense)


def test_equal_scores_keep_one_order() -> None:
    assert fuse({"b": 0.5, "a": 0.5}, {}, 0.0) == fuse({"a": 0.5, "b": 0.5}, {}, 0.0)
