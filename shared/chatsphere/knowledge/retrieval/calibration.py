"""What a cosine and a share of words are worth, by embedding model, and below which confidence a question is refused.

The built-in values are data: each says what it was fitted on. An organization's own, which `chatsphere eval calibrate`
fits and stores, come before them (decision 98).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, Final, Self

DEFAULT_THRESHOLD: Final = 0.15
"""Confidence below which a question is refused, unless the calibration or the bot's configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds that the hits answer the question: intercept + dense · cosine + coverage · share of its terms.

    `threshold`: the confidence, 0 to 1, below which nothing relevant was found.
    """

    dense: float
    coverage: float
    intercept: float
    threshold: float = DEFAULT_THRESHOLD

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> Self | None:
        """Return the calibration that a row holds; None where the organization has none of the model."""
        if row["threshold"] is None:
            return None
        return cls(row["dense"], row["coverage"], row["intercept"], row["threshold"])

    def confidence(self, dense: float, coverage: float) -> float:
        """Return the probability, 0 to 1, that hits with these features answer the question."""
        odds = self.intercept + self.dense * dense + self.coverage * coverage
        # Beyond this exp() overflows, and no float tells the difference.
        return 1 / (1 + exp(-max(-500.0, min(500.0, odds))))


BUILT_IN: Final[Mapping[str, Calibration]] = {
    # Decision 21: `python -m tests.bench.calibrate ../shared/data/retrieval` on chunking_eval_mini, cranfield and
    # xquad_en, 9,888 questions to bots of 1 to all chunks.
    "all-minilm-l6-v2-int8": Calibration(dense=9.18, coverage=2.54, intercept=-5.53),
}

WORDS_ALONE: Final = Calibration(dense=0.0, coverage=5.36, intercept=-2.41)
"""For an embedding model that was not calibrated, whose cosines mean nothing yet, and where no vectors were searched.
Fitted as the first of `BUILT_IN`, without cosines."""
