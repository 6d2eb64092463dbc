"""The search use case: words and vectors side by side, fused, with an estimate of how sure the result is."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.confidence import Evidence, confidence
from chatsphere.knowledge.retrieval.embedding_text import heading_line
from chatsphere.knowledge.retrieval.fusion import CANDIDATES, fuse
from chatsphere.knowledge.retrieval.lexical import Question, analyse, search_lexical
from chatsphere.knowledge.retrieval.models import Hit, Mode, Scores, SearchResult
from chatsphere.ports import Embedder, Namespace, VectorStore

DEFAULT_LIMIT: Final = 8

# The chunks of the candidates that readers may see, with those of the question's terms that each one holds.
# A vector store may still hold, or already hold, a generation that is not live.
CHUNKS = """
SELECT c.id, c.document_id, d.name, c.content, c.ordinal, c.heading_path,
    c.page_start, c.page_end, c.char_start, c.char_end,
    tsvector_to_array(ts_filter(setweight(c.lexemes, 'A', %(terms)s::text[]), '{a}')) AS terms
FROM chunks c
JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
WHERE c.id = ANY (%(chunks)s) AND c.bot_id = %(bot_id)s
  AND (%(documents)s::uuid[] IS NULL OR c.document_id = ANY (%(documents)s))
"""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What both sides found, by chunk, and the order that the mode asks for."""

    question: Question
    dense: Mapping[UUID, float]
    lexical: Mapping[UUID, float]
    ranking: Sequence[tuple[UUID, float]]


def search(
    database: Database,
    vectors: VectorStore,
    embedder: Embedder,
    *,
    organization_id: UUID,
    bot_id: UUID,
    query: str,
    limit: int = DEFAULT_LIMIT,
    documents: Collection[UUID] | None = None,
    mode: Mode = "fused",
) -> SearchResult:
    """Return the bot's `limit` best chunks for `query`, only from `documents` if given.

    The bot must exist; that the organization owns it is the caller's check, and the row policies'.

    Raises:
        UnavailableError: the database, the vector store or the embedder does not answer.
    """
    if documents is not None and not documents:
        return SearchResult((), None if mode != "fused" else 0.0)
    namespace, query = Namespace(organization_id, bot_id), _storable(query)
    with ThreadPoolExecutor(1) as side:
        # The embedder computes, or waits for a network, while the database looks the words up.
        dense = side.submit(_search_dense, vectors, embedder, namespace, query, documents, mode)
        question, lexical = _search_lexical(database, namespace, query, documents, mode)
        candidates = _rank(question, dense.result(), lexical, mode)
    rows = _load(database, namespace, candidates, limit, documents)
    hits = tuple(_hit(row, score, candidates, mode) for row, score in rows)
    if mode != "fused":
        return SearchResult(hits, None)
    evidence = [Evidence(hit.scores.dense, row["terms"]) for hit, (row, _) in zip(hits, rows, strict=True)]
    return SearchResult(hits, confidence(embedder.model, question, evidence))


def _storable(query: str) -> str:
    """Return the query without what JSON can carry and neither PostgreSQL nor a tokenizer takes."""
    return query.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _search_dense(
    vectors: VectorStore,
    embedder: Embedder,
    namespace: Namespace,
    query: str,
    documents: Collection[UUID] | None,
    mode: Mode,
) -> Mapping[UUID, float]:
    if mode == "lexical":
        return {}
    matches = vectors.query(namespace, embedder.embed_query(query), limit=CANDIDATES, documents=documents)
    return {match.chunk_id: match.score for match in matches}


def _search_lexical(
    database: Database, namespace: Namespace, query: str, documents: Collection[UUID] | None, mode: Mode
) -> tuple[Question, Mapping[UUID, float]]:
    if mode == "dense":
        return Question(), {}
    with database.transaction(namespace.organization_id) as connection:
        question = analyse(connection, namespace.bot_id, query)
        matches = search_lexical(connection, namespace.bot_id, question, limit=CANDIDATES, documents=documents)
    return question, {match.chunk_id: match.score for match in matches}


def _rank(question: Question, dense: Mapping[UUID, float], lexical: Mapping[UUID, float], mode: Mode) -> _Candidates:
    if mode == "fused":
        ranking = fuse(dense, lexical, question.total_weight)
    else:
        # Both lists are in order already.
        ranking = list((dense if mode == "dense" else lexical).items())
    return _Candidates(question, dense, lexical, ranking)


def _load(
    database: Database,
    namespace: Namespace,
    candidates: _Candidates,
    limit: int,
    documents: Collection[UUID] | None,
) -> list[tuple[Row, float]]:
    """Return the first `limit` candidates that readers may see, in rank order, with their scores."""
    found: list[tuple[Row, float]] = []
    parameters: dict[str, Any] = {
        "bot_id": namespace.bot_id,
        "documents": None if documents is None else list(documents),
        "terms": [term.lexeme for term in candidates.question.terms],
    }
    with database.transaction(namespace.organization_id) as connection:
        # A few more than asked for, as some may be gone; all the rest only where many are.
        for begin, end in ((0, limit + 8), (limit + 8, len(candidates.ranking))):
            batch = candidates.ranking[begin:end]
            if len(found) >= limit or not batch:
                break
            query = connection.execute(CHUNKS, {**parameters, "chunks": [chunk for chunk, _ in batch]})
            rows = {row["id"]: row for row in query}
            found += [(rows[chunk], score) for chunk, score in batch if chunk in rows]
    return found[:limit]


def _hit(row: Row, score: float, candidates: _Candidates, mode: Mode) -> Hit:
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
    )
