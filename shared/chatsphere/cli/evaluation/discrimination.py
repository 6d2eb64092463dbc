"""How well a confidence tells answerable questions from others, and whether it means what it says."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Final

BINS: Final = 10


def roc_auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the area under the ROC curve: the chance that a positive one scores above a negative one, ties half.

    Raises:
        ValueError: one of the groups is empty.
    """
    if not positive or not negative:
        raise ValueError("an area needs both groups")
    ordered = sorted(negative)
    wins = sum(bisect_left(ordered, score) + bisect_right(ordered, score) for score in positive)
    return wins / (2 * len(positive) * len(negative))


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores of one tenth: how many, their mean, and which share of them was positive."""

    low: float
    high: float
    count: int
    mean_score: float
    share_positive: float

    def as_json(self) -> dict[str, Any]:
        """Return the bin for `--json`."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def reliability(positive: Sequence[float], negative: Sequence[float]) -> list[Bin]:
    """Return what came true of scores between 0 and 1, by tenths; empty ones are left out."""
    groups: dict[int, list[tuple[float, bool]]] = {}
    for scores, label in ((positive, True), (negative, False)):
        for score in scores:
            groups.setdefault(min(int(score * BINS), BINS - 1), []).append((score, label))
    return [
        Bin(
            number / BINS,
            (number + 1) / BINS,
            len(members),
            fmean(score for score, _ in members),
            fmean(label for _, label in members),
        )
        for number, members in sorted(groups.items())
    ]


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """Return by how much the scores miss what came true, in the mean over the questions."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.mean_score - each.share_positive) for each in bins) / total if total else 0.0


def highest_threshold(positive: Sequence[float], *, most_false: float) -> float:
    """Return the highest threshold, in hundredths, that refuses at most this share of the positive."""
    ordered = sorted(positive)
    bearable = [step / 100 for step in range(100) if bisect_left(ordered, step / 100) <= most_false * len(ordered)]
    return max(bearable, default=0.0)


def share_below(scores: Sequence[float], threshold: float) -> float:
    """Return which share of the scores is below the threshold."""
    return sum(score < threshold for score in scores) / len(scores) if scores else 0.0
