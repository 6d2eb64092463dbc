"""Bootstrap intervals: how far a number would move with other questions of the same kind.

Percentile bootstrap over the questions; the same values and seed give the same interval.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Literal

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
SEED: Final = 7

Verdict = Literal["better", "worse", "no difference"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return it for `--json`."""
        return {"value": round(self.value, 5), "low": round(self.low, 5), "high": round(self.high, 5)}

    def text(self, digits: int = 4) -> str:
        """Return it as `.7812 [.7512, .8090]`."""
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"

    def percent(self) -> str:
        """Return a share as `81.3% [77.0, 85.7]`."""
        return f"{self.value:.1%} [{self.low * 100:.1f}, {self.high * 100:.1f}]"

    @property
    def verdict(self) -> Verdict:
        """What a difference says: its interval lies above 0, below 0, or holds it."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "no difference"


def mean_of(values: Sequence[float], seed: int = SEED) -> Interval:
    """Return the mean of one value a question.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("the mean of nothing")
    chance = random.Random(seed)  # noqa: S311
    count = len(values)
    return bounded(fmean(values), [fmean(chance.choices(values, k=count)) for _ in range(RESAMPLES)])


def difference_of(values: Sequence[float], others: Sequence[float], seed: int = SEED) -> Interval:
    """Return the mean of `values` less that of `others`, paired: both hold one value for each question, in one order.

    Raises:
        ValueError: there are no values, or not as many of both.
    """
    return mean_of([value - other for value, other in zip(values, others, strict=True)], seed)


def bounded(value: float, resampled: Sequence[float]) -> Interval:
    """Return a number with the interval that its values in resamples give."""
    ordered = sorted(resampled)
    beyond = (1 - LEVEL) / 2
    last = len(ordered) - 1
    return Interval(value, ordered[round(beyond * last)], ordered[round((1 - beyond) * last)])


def resampled_pairs(
    positive: Sequence[float], negative: Sequence[float], measure: Callable[[Sequence[float], Sequence[float]], float]
) -> Interval:
    """Return a measure of two groups, each of which is resampled by itself."""
    chance = random.Random(SEED)  # noqa: S311
    values = [
        measure(chance.choices(positive, k=len(positive)), chance.choices(negative, k=len(negative)))
        for _ in range(RESAMPLES)
    ]
    return bounded(measure(positive, negative), values)


def as_json(intervals: dict[str, Interval]) -> dict[str, Any]:
    """Return named intervals for `--json`."""
    return {name: interval.as_json() for name, interval in intervals.items()}
