"""How good a ranking is, as information retrieval measures it.

A ranking is a sequence of document ids, best first, none twice. Judgements are grades by document id: 0 or
less means not relevant. As in trec_eval, nDCG's gain is the grade itself, discounted by log2(rank + 1).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

Grades = Mapping[str, int]


def ndcg(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Return the normalized discounted cumulative gain of the first k, in [0, 1]."""
    ideal = _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k])
    return _dcg([max(0, grades.get(document, 0)) for document in _once(ranking)[:k]]) / ideal if ideal else 0.0


def recall(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Return which share of the relevant documents is among the first k."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant.intersection(_once(ranking)[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Return 1 / the rank of the first relevant document, 0 if it is not among the first k."""
    for rank, document in enumerate(_once(ranking)[:k], 1):
        if grades.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def fold(passages: Iterable[str]) -> list[str]:
    """Return each document once, at its best passage's rank, given the document of each ranked passage.

    The order is the ranker's own: scores are not compared again, so its tie-break is kept.
    """
    return list(dict.fromkeys(passages))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie, interpolated linearly.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a percentile of nothing")
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    lower = math.floor(position)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (position - lower)


def _once(ranking: Sequence[str]) -> Sequence[str]:
    """Return the ranking; a document that is found twice would count twice.

    Raises:
        ValueError: a document is in it twice.
    """
    if len(set(ranking)) != len(ranking):
        raise ValueError("a document is ranked twice")
    return ranking


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
