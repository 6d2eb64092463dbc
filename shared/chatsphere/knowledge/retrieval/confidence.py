"""How likely the passages found answer the question: a logistic model of two features.

Its coefficients belong to an embedding model; how they are fitted, and with which results, is in docs/decisions/0098.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from chatsphere.knowledge.retrieval.calibration import Calibration
from chatsphere.knowledge.retrieval.lexical import Question

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


def confidence(calibration: Calibration, question: Question, hits: Sequence[Evidence]) -> float:
    """Return the probability, 0 to 1, that the hits answer the question, as this calibration has it."""
    if not hits:
        return 0.0
    found = features(question, hits)
    return calibration.confidence(found.dense, found.coverage)


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
