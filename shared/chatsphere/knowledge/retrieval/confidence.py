"""How likely the passages found answer the question: a logistic model of two features.

The coefficients belong to an embedding model and come from `python -m tests.bench.calibrate`; how, and with
which results, is in docs/decisions/0021.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

from chatsphere.knowledge.retrieval.lexical import Question

DEFAULT_THRESHOLD: Final = 0.15
"""Confidence below which a question is refused, unless the bot's configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Log-odds that the hits answer the question: intercept + dense · cosine + coverage · share of its terms."""

    dense: float
    coverage: float
    intercept: float


CALIBRATIONS: Final = {
    "all-minilm-l6-v2-int8": Calibration(dense=9.18, coverage=2.54, intercept=-5.53),
}

WORDS_ALONE: Final = Calibration(dense=0.0, coverage=5.36, intercept=-2.41)
"""For an embedding model that was not calibrated: its cosines mean nothing yet."""

_BACKGROUND_CHUNKS: Final = 1000
_BACKGROUND_FREQUENCY: Final = 10
"""As if each bot held a thousand more chunks, with each term in ten of them: in a bot of five chunks, document
frequencies say nothing of a term's worth, in one of a hundred thousand this changes nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one hit: its cosine, if the vector store found it, and the question's terms in it."""

    dense: float | None
    terms: Collection[str]


@dataclass(frozen=True, slots=True)
class Features:
    """The best cosine of any hit, and the largest share of the question's terms, by weight, in any hit."""

    dense: float
    coverage: float


def confidence(model: str | None, question: Question, hits: Sequence[Evidence]) -> float:
    """Return the probability, 0 to 1, that the hits of this embedding model's search answer the question.

    `model` is None where words alone were searched.
    """
    if not hits:
        return 0.0
    calibration = CALIBRATIONS.get(model, WORDS_ALONE) if model else WORDS_ALONE
    found = features(question, hits)
    odds = calibration.intercept + calibration.dense * found.dense + calibration.coverage * found.coverage
    return 1 / (1 + exp(-odds))


def features(question: Question, hits: Sequence[Evidence]) -> Features:
    """Return what the model sees of a search that has at least one hit."""
    weights = {term.lexeme: _weight(question, term.document_frequency) for term in question.terms}
    total = sum(weights.values())
    coverage = max(sum(weights[term] for term in hit.terms) for hit in hits)
    return Features(
        dense=max((hit.dense for hit in hits if hit.dense is not None), default=0.0),
        coverage=coverage / total if total else 0.0,
    )


def _weight(question: Question, document_frequency: int) -> float:
    """Return an inverse document frequency that is sound for a bot of any size."""
    chunks = question.chunk_count + _BACKGROUND_CHUNKS
    frequency = document_frequency + _BACKGROUND_FREQUENCY
    return log(1 + (chunks - frequency + 0.5) / (frequency + 0.5))
