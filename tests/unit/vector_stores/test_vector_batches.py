"""Cutting items into requests."""

import json

import pytest

from chatsphere.adapters.vector_batches import batches, cosine


def test_nothing_is_no_batch() -> None:
    assert list(batches([], max_items=2, max_bytes=100)) == []


def test_the_order_is_kept_and_the_last_batch_is_short() -> None:
    items = [{"n": n} for n in range(5)]

    assert list(batches(items, max_items=2, max_bytes=100)) == [items[:2], items[2:4], items[4:]]


def test_bytes_are_what_is_sent() -> None:
    items = [{"text": "ä" * 10} for _ in range(4)]
    two = len(json.dumps(items[:2], ensure_ascii=False).encode())

    assert [len(batch) for batch in batches(items, max_items=100, max_bytes=two + 2)] == [2, 2]
    assert [len(batch) for batch in batches(items, max_items=100, max_bytes=two - 1)] == [1, 1, 1, 1]


def test_what_is_too_large_stands_alone() -> None:
    items: list[dict[str, object]] = [{"n": 1}, {"text": "x" * 100}, {"n": 2}]

    assert list(batches(items, max_items=10, max_bytes=50)) == [[items[0]], [items[1]], [items[2]]]


@pytest.mark.parametrize(("answered", "score"), [(0.5, 0.5), (1, 1.0), (1.0000002, 1.0), (-1.5, -1.0), ("0.5", 0.5)])
def test_a_similarity_is_brought_into_its_range(answered: object, score: float) -> None:
    assert cosine(answered) == score


@pytest.mark.parametrize("answered", [float("nan"), "NaN", None, "near", []])
def test_what_is_no_similarity_is_no_best_match(answered: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        cosine(answered)
