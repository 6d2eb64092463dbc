"""Why a search found what it found: enough to compute every score again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.knowledge.retrieval.calibration import Calibration
from chatsphere.knowledge.retrieval.confidence import Features


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A word of the question, the lexemes that stand for it, in how many chunks it is, and what it weighs."""

    term: str
    lexemes: tuple[str, ...]
    document_frequency: int
    weight: float


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """How a hit's score came about.

    Ranks count from 1 in what each side returned; None where it did not return the chunk. `lexical_share` is BM25
    divided by the weight of the whole question. Of a side that did not return the chunk, its floor counts:
    score = (`dense_part` + lexical_weight · `lexical_part`) / (1 + lexical_weight).
    """

    dense: float | None
    dense_rank: int | None
    dense_part: float
    lexical: float | None
    lexical_rank: int | None
    lexical_share: float | None
    lexical_part: float
    terms: tuple[str, ...]
    missing_terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What holds for all hits of a search.

    confidence = 1 / (1 + exp(-(intercept + dense · features.dense + coverage · features.coverage))), with the
    `calibration`'s coefficients. `features` are None where nothing was found, or one side alone was searched.
    `embedding_model` is None where words alone were searched. `documents`: how many the filter let through. `folded`:
    the chunks that say what a better hit says; `merged`: those that stand beside hits.
    """

    embedding_model: str | None
    configurations: tuple[str, ...]
    terms: tuple[ExplainedTerm, ...]
    total_weight: float
    lexical_weight: float
    candidates: int
    dense_found: int
    lexical_found: int
    dense_floor: float
    lexical_floor: float
    calibration: Calibration | None
    features: Features | None
    confidence: float | None
    threshold: float
    refused: bool | None
    documents: int | None
    folded: Sequence[UUID] = ()
    merged: Sequence[UUID] = ()
