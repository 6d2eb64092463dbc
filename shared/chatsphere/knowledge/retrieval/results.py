"""Makes the result of a search of what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chatsphere.knowledge.embedding import BotEmbedding
from chatsphere.knowledge.retrieval.calibration import BUILT_IN, WORDS_ALONE, Calibration
from chatsphere.knowledge.retrieval.candidates import Candidates
from chatsphere.knowledge.retrieval.confidence import Evidence, confidence, features
from chatsphere.knowledge.retrieval.embedding_text import heading_line
from chatsphere.knowledge.retrieval.explanation import ExplainedTerm, Explanation, HitExplanation
from chatsphere.knowledge.retrieval.models import Elsewhere, Hit, Mode, Scores, SearchResult
from chatsphere.knowledge.retrieval.reading import Row
from chatsphere.knowledge.retrieval.settings import RetrievalSettings


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: hits, each with the chunks that say the same, and those beside them.

    `embedding` is None where words alone were searched, `documents` is how many the filter let through, None without.
    """

    candidates: Candidates
    rows: Sequence[tuple[Row, Sequence[Row]]]
    neighbours: Sequence[Row]
    embedding: BotEmbedding | None
    documents: int | None


def result_of(
    found: Found,
    mode: Mode,
    settings: RetrievalSettings,
    *,
    model: str | None,
    embed_seconds: float = 0.0,
    explain: bool = False,
) -> SearchResult:
    """Return the hits and how sure they are; `model` is the one that embedded, None where words alone were searched."""
    scores = dict(found.candidates.ranking)
    hits = tuple(
        _hit(row, found.candidates, mode, score=scores[row["id"]], repeats=repeats, explain=explain)
        for row, repeats in found.rows
    )
    calibration = _calibration(found.embedding, model)
    threshold = calibration.threshold if settings.threshold is None else settings.threshold
    evidence = _evidence(found) if mode == "fused" else []
    sure = confidence(calibration, found.candidates.question, evidence) if mode == "fused" else None
    return SearchResult(
        hits,
        sure,
        threshold,
        neighbours=tuple(_hit(row, found.candidates, mode) for row in found.neighbours),
        explanation=_explanation(found, mode, settings, calibration, threshold, sure, model) if explain else None,
        embed_seconds=embed_seconds,
        by_words_alone=found.embedding is None,
    )


def _calibration(embedding: BotEmbedding | None, model: str | None) -> Calibration:
    """Return what was fitted to the model that searched: by the organization, or before; None searched words alone."""
    if embedding is None or model is None:
        return WORDS_ALONE
    return embedding.fitted or BUILT_IN.get(model, WORDS_ALONE)


def _evidence(found: Found) -> list[Evidence]:
    question, dense = found.candidates.question, found.candidates.dense
    return [Evidence(dense.get(row["id"]), question.terms_among(row["lexemes"])) for row, _ in found.rows]


def _hit(
    row: Row,
    candidates: Candidates,
    mode: Mode,
    *,
    score: float = 0.0,
    repeats: Sequence[Row] = (),
    explain: bool = False,
) -> Hit:
    chunk = row["id"]
    return Hit(
        chunk_id=chunk,
        document_id=row["document_id"],
        document_name=row["name"],
        content=row["content"],
        ordinal=row["ordinal"],
        page_start=row["page_start"],
        page_end=row["page_end"],
        char_start=row["char_start"],
        char_end=row["char_end"],
        heading=heading_line(row["heading_path"]),
        score=score,
        scores=Scores(candidates.dense.get(chunk), candidates.lexical.get(chunk), score if mode == "fused" else None),
        also_in=tuple(_elsewhere(repeat) for repeat in repeats),
        explanation=_hit_explanation(row, candidates) if explain else None,
    )


def _elsewhere(row: Row) -> Elsewhere:
    return Elsewhere(
        chunk_id=row["id"],
        document_id=row["document_id"],
        document_name=row["name"],
        page_start=row["page_start"],
        page_end=row["page_end"],
        char_start=row["char_start"],
        char_end=row["char_end"],
    )


def _hit_explanation(row: Row, candidates: Candidates) -> HitExplanation:
    chunk, fusion, question = row["id"], candidates.fusion, candidates.question
    cosine, share = fusion.parts(chunk)
    held = question.terms_among(row["lexemes"])
    return HitExplanation(
        dense=candidates.dense.get(chunk),
        dense_rank=_rank(chunk, list(candidates.dense)),
        dense_part=cosine,
        lexical=candidates.lexical.get(chunk),
        lexical_rank=_rank(chunk, list(candidates.lexical)),
        lexical_share=fusion.shares.get(chunk),
        lexical_part=share,
        terms=tuple(term.lexeme for term in question.terms if term.lexeme in held),
        missing_terms=tuple(term.lexeme for term in question.terms if term.lexeme not in held),
    )


def _rank(chunk: UUID, found: Sequence[UUID]) -> int | None:
    return found.index(chunk) + 1 if chunk in found else None


def _explanation(
    found: Found,
    mode: Mode,
    settings: RetrievalSettings,
    calibration: Calibration,
    threshold: float,
    sure: float | None,
    model: str | None,
) -> Explanation:
    candidates, question = found.candidates, found.candidates.question
    return Explanation(
        embedding_model=None if mode == "lexical" else model,
        configurations=question.configurations,
        terms=tuple(
            ExplainedTerm(term.lexeme, term.lexemes, term.document_frequency, question.weight(term))
            for term in question.terms
        ),
        total_weight=question.total_weight,
        lexical_weight=settings.lexical_weight,
        candidates=settings.candidates,
        dense_found=len(candidates.dense),
        lexical_found=len(candidates.lexical),
        dense_floor=candidates.fusion.dense_floor,
        lexical_floor=candidates.fusion.lexical_floor,
        calibration=None if sure is None else calibration,
        features=features(question, _evidence(found)) if sure is not None and found.rows else None,
        confidence=sure,
        threshold=threshold,
        refused=None if sure is None else not found.rows or sure < threshold,
        documents=found.documents,
        folded=[repeat["id"] for _, repeats in found.rows for repeat in repeats],
        merged=[row["id"] for row in found.neighbours],
    )
