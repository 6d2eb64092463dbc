"""The search use case: words and vectors side by side, fused, with an estimate of how sure the result is."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding
from chatsphere.knowledge.retrieval.confidence import Evidence, confidence
from chatsphere.knowledge.retrieval.dense import DenseSide
from chatsphere.knowledge.retrieval.embedding_text import heading_line
from chatsphere.knowledge.retrieval.fusion import CANDIDATES, fuse
from chatsphere.knowledge.retrieval.lexical import Question, analyse, search_lexical
from chatsphere.knowledge.retrieval.models import Hit, Mode, Scores, SearchResult
from chatsphere.ports import Embedder, VectorStore

DEFAULT_LIMIT: Final = 8

MAX_LOOKS: Final = 4
"""How often a search begins anew because what it found was replaced, or its bot embedded anew, before it was read."""

WIDER: Final = 10
"""How many times more vectors are asked for where nearly all that were found are of generations that nobody sees."""

MAX_NEAREST: Final = 10_000
"""The most vectors that every store returns."""

# The first of the candidates that readers may see, in their order, with those of the question's terms that each one
# holds. One statement: what it reads is of one moment, so that no document is shown in two generations. A vector store
# may still hold, or already hold, a generation that is not live.
CHUNKS = """
SELECT c.id, c.document_id, d.name, c.content, c.ordinal, c.heading_path,
    c.page_start, c.page_end, c.char_start, c.char_end,
    tsvector_to_array(ts_filter(setweight(c.lexemes, 'A', %(terms)s::text[]), '{a}')) AS terms
FROM (
    SELECT c.id, ranked.place
    FROM unnest(%(chunks)s::uuid[]) WITH ORDINALITY AS ranked (id, place)
    JOIN chunks c ON c.id = ranked.id AND c.bot_id = %(bot_id)s
    JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
    WHERE %(documents)s::uuid[] IS NULL OR c.document_id = ANY (%(documents)s)
    ORDER BY ranked.place LIMIT %(limit)s) shown
JOIN chunks c ON c.id = shown.id
JOIN documents d ON d.id = c.document_id
ORDER BY shown.place
"""

# Which of these chunks are there, seen by readers or not.
EXISTING = "SELECT id FROM chunks WHERE id = ANY (%(chunks)s)"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is searched for, and where."""

    organization_id: UUID
    bot_id: UUID
    query: str
    documents: Collection[UUID] | None
    mode: Mode


@dataclass(frozen=True, slots=True)
class _Candidates:
    """What both sides found, by chunk, and the order that the mode asks for."""

    question: Question
    dense: Mapping[UUID, float]
    lexical: Mapping[UUID, float]
    ranking: Sequence[tuple[UUID, float]]


@dataclass(frozen=True, slots=True)
class _Read:
    """Candidates that readers see, with their scores, and what readers searched when they were read.

    `gone`: those that were found and are not there any more; what is there instead was perhaps not found.
    """

    rows: Sequence[tuple[Row, float]]
    embedding: BotEmbedding
    gone: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search came to, and by which embedding; None: by words alone."""

    candidates: _Candidates
    rows: Sequence[tuple[Row, float]]
    embedding: BotEmbedding | None


def search(
    database: Database,
    vectors: VectorStore,
    embedders: Callable[[str | None], Embedder],
    *,
    organization_id: UUID,
    bot_id: UUID,
    query: str,
    limit: int = DEFAULT_LIMIT,
    documents: Collection[UUID] | None = None,
    mode: Mode = "fused",
) -> SearchResult:
    """Return the bot's `limit` best chunks for `query`, only from `documents` if given.

    The bot must exist; that the organization owns it is the caller's check, and the row policies'. `embedders` returns
    the embedder of a model's name, None: the deployment's own. Where the bot's is not available, words alone are
    searched.

    Raises:
        UnavailableError: the database, the vector store or the embedder does not answer.
    """
    if documents is not None and not documents:
        return SearchResult((), None if mode != "fused" else 0.0)
    asked = _Asked(organization_id, bot_id, _storable(query), documents, mode)
    found = _find(database, DenseSide(vectors, embedders), asked, limit)
    hits = tuple(_hit(row, score, found.candidates, mode) for row, score in found.rows)
    if mode != "fused":
        return SearchResult(hits, None)
    evidence = [Evidence(hit.scores.dense, row["terms"]) for hit, (row, _) in zip(hits, found.rows, strict=True)]
    model = None if found.embedding is None else embedders(found.embedding.model).model
    return SearchResult(hits, confidence(model, found.candidates.question, evidence))


def _find(database: Database, side: DenseSide, asked: _Asked, limit: int) -> _Found:
    """Search, and again while what was found is replaced before it is read, `MAX_LOOKS` times at most."""
    with ThreadPoolExecutor(1) as thread, database.transaction(asked.organization_id) as connection:
        embedding = bot_embedding(connection, asked.organization_id, asked.bot_id)
        # The embedder computes, or waits for a network, while the database looks the words up.
        searched = thread.submit(_search_dense, side, asked, embedding)
        question, lexical = _search_lexical(connection, asked)
    dense, nearest, gone = searched.result(), CANDIDATES, frozenset[UUID]()
    for look in range(1, MAX_LOOKS + 1):
        candidates = _rank(question, dense or {}, lexical, asked.mode)
        read = _load(database, asked, candidates, limit)
        crowded = len(read.rows) < limit and nearest <= len(dense or ()) < MAX_NEAREST
        switched = dense is not None and read.embedding.namespace != embedding.namespace
        if look == MAX_LOOKS or (read.gone <= gone and not crowded and not switched):
            break
        # What was found is not what is there now: vectors of former generations or revisions are deleted by the time
        # that readers see new ones, and new ones are written before.
        embedding, gone = read.embedding, gone | read.gone
        nearest = nearest * WIDER if crowded else nearest
        dense = _search_dense(side, asked, embedding, nearest)
        with database.transaction(asked.organization_id) as connection:
            question, lexical = _search_lexical(connection, asked)
    return _Found(candidates, read.rows, None if dense is None else embedding)


def _storable(query: str) -> str:
    """Return the query without what JSON can carry and neither PostgreSQL nor a tokenizer takes."""
    return query.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _search_dense(
    side: DenseSide, asked: _Asked, embedding: BotEmbedding, nearest: int = CANDIDATES
) -> Mapping[UUID, float] | None:
    if asked.mode == "lexical":
        return {}
    return side.search(embedding, asked.query, asked.documents, limit=nearest)


def _search_lexical(connection: Connection, asked: _Asked) -> tuple[Question, Mapping[UUID, float]]:
    if asked.mode == "dense":
        return Question(), {}
    question = analyse(connection, asked.bot_id, asked.query)
    matches = search_lexical(connection, asked.bot_id, question, limit=CANDIDATES, documents=asked.documents)
    return question, {match.chunk_id: match.score for match in matches}


def _rank(question: Question, dense: Mapping[UUID, float], lexical: Mapping[UUID, float], mode: Mode) -> _Candidates:
    if mode == "fused":
        ranking = fuse(dense, lexical, question.total_weight)
    else:
        # Both lists are in order already.
        ranking = list((dense if mode == "dense" else lexical).items())
    return _Candidates(question, dense, lexical, ranking)


def _load(database: Database, asked: _Asked, candidates: _Candidates, limit: int) -> _Read:
    """Read the first `limit` candidates that readers may see, in rank order."""
    ranking = dict(candidates.ranking)
    parameters: dict[str, Any] = {
        "bot_id": asked.bot_id,
        "documents": None if asked.documents is None else list(asked.documents),
        "terms": [term.lexeme for term in candidates.question.terms],
        "chunks": list(ranking),
        "limit": limit,
    }
    with database.transaction(asked.organization_id) as connection:
        embedding = bot_embedding(connection, asked.organization_id, asked.bot_id)
        found = connection.execute(CHUNKS, parameters).fetchall() if ranking else []
        shown = {row["id"] for row in found}
        # Those before the last one that is shown: where enough is found, the others do not matter.
        considered = list(ranking) if len(found) < limit else list(ranking)[: list(ranking).index(found[-1]["id"])]
        missing = [chunk for chunk in considered if chunk not in shown]
        existing = connection.execute(EXISTING, {"chunks": missing}).fetchall() if missing else []
    gone = frozenset(missing) - {row["id"] for row in existing}
    return _Read([(row, ranking[row["id"]]) for row in found], embedding, gone)


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
