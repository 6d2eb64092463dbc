"""Joins what the vectors and the words found. The choice and its measurements: docs/decisions/0021.

Both sides are brought to an absolute scale first, so that a side that found little of worth adds little: the
cosine as it is, and BM25 as the share of the score that a perfect match of every term would get.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from chatsphere.knowledge.retrieval.settings import CANDIDATES, LEXICAL_WEIGHT

Key = TypeVar("Key", bound=Any)


@dataclass(frozen=True, slots=True)
class Fusion(Generic[Key]):
    """Both sides on one scale: cosines, and the shares of the question's weight that BM25 gives.

    What a side did not return can be no better than the last that it did, its floor, if it returned as many as were
    asked for.
    """

    dense: Mapping[Key, float]
    shares: Mapping[Key, float]
    dense_floor: float
    lexical_floor: float
    lexical_weight: float

    @classmethod
    def of(
        cls,
        dense: Mapping[Key, float],
        lexical: Mapping[Key, float],
        total_weight: float,
        *,
        lexical_weight: float = LEXICAL_WEIGHT,
        candidates: int = CANDIDATES,
    ) -> "Fusion[Key]":
        """Fuse cosines with BM25 scores; `total_weight` is the sum of the question's term weights."""
        shares = {chunk: score / total_weight for chunk, score in lexical.items()} if total_weight else {}
        return cls(dense, shares, _floor(dense, candidates), _floor(shares, candidates), lexical_weight)

    def parts(self, chunk: Key) -> tuple[float, float]:
        """Return the cosine and the share that a chunk is ranked by: its own, or the sides' floors."""
        return self.dense.get(chunk, self.dense_floor), self.shares.get(chunk, self.lexical_floor)

    def score(self, chunk: Key) -> float:
        """Return the fused score, about 0 to 1: the weighted mean of both parts."""
        cosine, share = self.parts(chunk)
        return (cosine + self.lexical_weight * share) / (1 + self.lexical_weight)

    def ranking(self) -> list[tuple[Key, float]]:
        """Return every candidate with its fused score, best first."""
        found = self.dense.keys() | (self.shares.keys() if self.lexical_weight else ())
        fused = [(chunk, self.score(chunk)) for chunk in found]
        return sorted(fused, key=lambda candidate: (-candidate[1], candidate[0]))


def fuse(dense: Mapping[Key, float], lexical: Mapping[Key, float], total_weight: float) -> list[tuple[Key, float]]:
    """Return every candidate with its fused score, best first, at the default settings."""
    return Fusion.of(dense, lexical, total_weight).ranking()


def _floor(scores: Mapping[Any, float], candidates: int) -> float:
    """Return an upper bound for the score of a chunk that is not in a list."""
    return min(scores.values()) if len(scores) >= candidates else 0.0
