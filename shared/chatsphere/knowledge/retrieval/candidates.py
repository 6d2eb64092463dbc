"""What both sides found, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.knowledge.retrieval.fusion import Fusion
from chatsphere.knowledge.retrieval.lexical import Question
from chatsphere.knowledge.retrieval.models import Mode
from chatsphere.knowledge.retrieval.settings import RetrievalSettings


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cosines and BM25 scores by chunk, best first, their fusion, and the order that the mode asks for."""

    question: Question
    dense: Mapping[UUID, float]
    lexical: Mapping[UUID, float]
    fusion: Fusion[UUID]
    ranking: Sequence[tuple[UUID, float]]


def ranked(
    question: Question,
    dense: Mapping[UUID, float],
    lexical: Mapping[UUID, float],
    mode: Mode,
    settings: RetrievalSettings,
) -> Candidates:
    """Return the candidates in the order of the mode: by the fused score, or that of one side."""
    fusion = Fusion.of(
        dense,
        lexical,
        question.total_weight,
        lexical_weight=settings.lexical_weight,
        candidates=settings.candidates,
    )
    # One side's list is in order already.
    ranking = fusion.ranking() if mode == "fused" else list((dense if mode == "dense" else lexical).items())
    return Candidates(question, dense, lexical, fusion, ranking)
