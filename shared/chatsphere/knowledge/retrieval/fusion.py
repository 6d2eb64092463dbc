"""Joins what the vectors and the words found. The choice and its measurements: docs/decisions/0021.

Both sides are brought to an absolute scale first, so that a side that found little of worth adds little: the
cosine as it is, and BM25 as the share of the score that a perfect match of every term would get.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

LEXICAL_WEIGHT: Final = 1.5
"""Weight of the lexical share against the cosine's 1: the middle of a flat optimum from 1 to 2."""

CANDIDATES: Final = 100
"""How many chunks each side contributes."""


Key = TypeVar("Key", bound=Any)


def fuse(dense: Mapping[Key, float], lexical: Mapping[Key, float], total_weight: float) -> list[tuple[Key, float]]:
    """Return every candidate with its fused score, about 0 to 1, best first.

    `dense` holds cosines, `lexical` BM25 scores, `total_weight` the sum of the question's term weights. What
    a side did not return can be no better than the last that it did, if it returned as many as were asked for.
    """
    shares = {chunk: score / total_weight for chunk, score in lexical.items()} if total_weight else {}
    dense_floor, lexical_floor = _floor(dense), _floor(shares)
    fused = {
        chunk: (dense.get(chunk, dense_floor) + LEXICAL_WEIGHT * shares.get(chunk, lexical_floor))
        / (1 + LEXICAL_WEIGHT)
        for chunk in dense.keys() | shares.keys()
    }
    return sorted(fused.items(), key=lambda candidate: (-candidate[1], candidate[0]))


def _floor(scores: Mapping[Any, float]) -> float:
    """Return an upper bound for the score of a chunk that is not in a list."""
    return min(scores.values()) if len(scores) >= CANDIDATES else 0.0
