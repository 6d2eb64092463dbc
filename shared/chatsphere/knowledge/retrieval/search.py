"""The search use case: words and vectors side by side, fused, with an estimate of how sure the result is."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Final
from uuid import UUID

from chatsphere.db.database import SLOW_READ_MS, Connection, Database
from chatsphere.knowledge.embedding import BotEmbedding, bot_embedding
from chatsphere.knowledge.retrieval.candidates import Candidates, ranked
from chatsphere.knowledge.retrieval.dense import DenseSide
from chatsphere.knowledge.retrieval.embedding_text import storable
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.folding import folded
from chatsphere.knowledge.retrieval.known_vectors import KnownVectors
from chatsphere.knowledge.retrieval.lexical import Question, analyse, search_lexical
from chatsphere.knowledge.retrieval.models import Mode, SearchResult
from chatsphere.knowledge.retrieval.reading import Row, missing_of, read_chunks, read_neighbours
from chatsphere.knowledge.retrieval.results import Found, result_of
from chatsphere.knowledge.retrieval.settings import DEFAULTS, RetrievalSettings
from chatsphere.ports.embedding import Embedder
from chatsphere.ports.vectors import VectorStore

DEFAULT_LIMIT: Final = 8

MAX_LOOKS: Final = 4
"""How often a search begins anew because what it found was replaced, or its bot embedded anew, before it was read."""

WIDER: Final = 10
"""How many times more vectors are asked for where nearly all that were found are of generations that nobody sees."""

MAX_NEAREST: Final = 10_000
"""The most vectors that every store returns."""

SPARE: Final = 2
"""How many times the hits that are wanted are read at first, where those that repeat others are left out."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is searched for, and where."""

    organization_id: UUID
    bot_id: UUID
    query: str
    within: DocumentFilter | None
    mode: Mode
    settings: RetrievalSettings
    limit: int


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words found: the question as the index sees it, and chunks with their scores."""

    question: Question
    found: Mapping[UUID, float]


@dataclass(frozen=True, slots=True)
class _Read:
    """Candidates that readers see, each with those that say the same, and what readers searched when they were read.

    `seen`: how many were read, with those that say the same. `gone`: those that were found and are not there any more;
    what is there instead was perhaps not found.
    """

    rows: Sequence[tuple[Row, Sequence[Row]]]
    neighbours: Sequence[Row]
    embedding: BotEmbedding
    seen: int
    gone: frozenset[UUID]


def search(
    database: Database,
    vectors: VectorStore,
    embedders: Callable[[str | None], Embedder],
    *,
    organization_id: UUID,
    bot_id: UUID,
    query: str,
    limit: int = DEFAULT_LIMIT,
    within: DocumentFilter | None = None,
    mode: Mode = "fused",
    settings: RetrievalSettings = DEFAULTS,
    explain: bool = False,
    remembered: KnownVectors | None = None,
) -> SearchResult:
    """Return the bot's `limit` best chunks for `query`, only from the documents `within` the filter if given.

    The bot must exist; that the organization owns it is the caller's check, and the row policies'. `embedders` returns
    the embedder of a model's name, None: the deployment's own. Where the bot's is not available, words alone are
    searched. A query that is `remembered` is not embedded again.

    Raises:
        UnavailableError: the database, the vector store or the embedder does not answer.
    """
    asked = _Asked(organization_id, bot_id, storable(query), within, mode, settings, limit)
    side = DenseSide(vectors, embedders, remembered=remembered)
    found = _find(database, side, asked)
    model = None if found.embedding is None else side.model
    result = result_of(found, mode, settings, model=model, embed_seconds=side.embed_seconds, explain=explain)
    return replace(result, embedding_tokens=side.tokens, embedding_microdollars=side.cost_microdollars)


def _find(database: Database, side: DenseSide, asked: _Asked) -> Found:
    """Search, and again while what was found is replaced before it is read, `MAX_LOOKS` times at most."""
    with (
        ThreadPoolExecutor(1) as thread,
        database.transaction(asked.organization_id, statement_ms=SLOW_READ_MS) as connection,
    ):
        embedding = bot_embedding(connection, asked.organization_id, asked.bot_id)
        documents = _searchable(connection, asked)
        # The embedder computes, or waits for a network, while the database looks the words up.
        dense_side = partial(_search_dense, side, asked, embedding, documents, asked.settings.candidates)
        searched = thread.submit(copy_context().run, dense_side)
        words = _search_lexical(connection, asked, documents)
    dense, nearest, gone = searched.result(), asked.settings.candidates, frozenset[UUID]()
    for look in range(1, MAX_LOOKS + 1):
        candidates = ranked(words.question, dense or {}, words.found, asked.mode, asked.settings)
        read = _load(database, asked, candidates, documents)
        crowded = read.seen < asked.limit and nearest <= len(dense or ()) < MAX_NEAREST
        switched = dense is not None and read.embedding.namespace != embedding.namespace
        if look == MAX_LOOKS or (read.gone <= gone and not crowded and not switched):
            break
        # What was found is not what is there now: vectors of former generations or revisions are deleted by the time
        # that readers see new ones, and new ones are written before.
        embedding, gone = read.embedding, gone | read.gone
        nearest = min(nearest * WIDER, MAX_NEAREST) if crowded else nearest
        with database.transaction(asked.organization_id, statement_ms=SLOW_READ_MS) as connection:
            documents = _searchable(connection, asked)
            words = _search_lexical(connection, asked, documents)
        dense = _search_dense(side, asked, embedding, documents, nearest)
    return Found(
        candidates,
        read.rows,
        read.neighbours,
        None if dense is None else embedding,
        None if documents is None else len(documents),
    )


def _searchable(connection: Connection, asked: _Asked) -> frozenset[UUID] | None:
    """Return the documents that the filter lets through now, None for all: a tag that changed counts at once."""
    return None if asked.within is None else asked.within.matching(connection, asked.bot_id)


def _search_dense(
    side: DenseSide, asked: _Asked, embedding: BotEmbedding, documents: Collection[UUID] | None, nearest: int
) -> Mapping[UUID, float] | None:
    if asked.mode == "lexical" or (documents is not None and not documents):
        return {}
    return side.search(embedding, asked.query, documents, limit=nearest)


def _search_lexical(connection: Connection, asked: _Asked, documents: Collection[UUID] | None) -> _Words:
    if asked.mode == "dense":
        return _Words(Question(), {})
    question = analyse(connection, asked.bot_id, asked.query)
    if asked.mode == "fused" and not asked.settings.lexical_weight:
        # The words rank nothing; how sure the result is they do tell.
        return _Words(question, {})
    matches = search_lexical(connection, asked.bot_id, question, limit=asked.settings.candidates, documents=documents)
    return _Words(question, {match.chunk_id: match.score for match in matches})


def _load(database: Database, asked: _Asked, candidates: Candidates, documents: Collection[UUID] | None) -> _Read:
    """Read the first candidates that readers may see, in rank order, and what stands beside them."""
    ranking = [chunk for chunk, _ in candidates.ranking]
    wanted = asked.limit * SPARE if asked.settings.deduplicate else asked.limit
    lexemes = candidates.question.lexemes
    with database.transaction(asked.organization_id) as connection:
        embedding = bot_embedding(connection, asked.organization_id, asked.bot_id)
        while True:
            rows = read_chunks(connection, asked.bot_id, ranking, lexemes=lexemes, documents=documents, limit=wanted)
            unlike = folded(rows) if asked.settings.deduplicate else [(row, []) for row in rows]
            if len(unlike) >= asked.limit or len(rows) < wanted:
                break
            wanted *= WIDER
        shown = unlike[: asked.limit]
        gone = missing_of(connection, ranking, rows, wanted)
        reach = asked.settings.neighbours if asked.mode == "fused" else 0
        neighbours = read_neighbours(connection, asked.bot_id, [row["id"] for row, _ in shown], reach)
    return _Read(shown, neighbours, embedding, len(rows), gone)
