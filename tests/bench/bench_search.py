"""Measures search over bots of given sizes, against a baseline in the same run.

    python -m tests.bench.bench_search --chunks 1000 100000

Makes its own embedded PostgreSQL in a temporary folder and removes it. Questions are embedded by the real
model; their vectors for the search itself are synthetic, as the bots' are.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter
from typing import TypeVar

import numpy as np
import psycopg

from chatsphere.adapters.minilm import MiniLmEmbedder
from chatsphere.adapters.pgvector import EXACT_CEILING, PgVectorStore
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.lexical import analyse, search_lexical
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, compact, index_document
from chatsphere.knowledge.retrieval.search import search
from chatsphere.knowledge.retrieval.settings import CANDIDATES
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace
from tests.bench.search_corpus import Bot, Corpus, fill_bot
from tests.postgres import DatabaseUrls, fresh_database, running_server

QUESTIONS = 200
Result = TypeVar("Result")
Input = TypeVar("Input")

# What one would do without an index of one's own: any word matches, ranked by ts_rank. Under row level
# security `@@` cannot use a GIN index, so there is none.
BASELINE = """
SELECT c.id FROM chunks c
JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation
CROSS JOIN (SELECT string_agg(quote_literal(lexeme), '|')::tsquery AS query
            FROM unnest(tsvector_to_array(app.lexemes('{}', %(question)s))) AS lexeme) q
WHERE c.bot_id = %(bot_id)s AND c.lexemes @@ q.query
ORDER BY ts_rank(c.lexemes, q.query) DESC LIMIT 100
"""

SIZES = """
SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c
WHERE c.relkind = 'r' AND c.relname ~ %(pattern)s AND c.relnamespace = 'public'::regnamespace
"""


class SyntheticEmbedder(MiniLmEmbedder):
    """Takes as long as the real model and returns the vectors that it was given, in turn."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._vectors = iter(vectors)

    def embed_query(self, text: str) -> Vector:
        """Embed the question, and return the next synthetic vector instead."""
        super().embed_query(text)
        return next(self._vectors)


@dataclass(frozen=True)
class Setting:
    """One filled bot and what to ask it."""

    database: Database
    bot: Bot
    questions: list[str]
    vectors: list[Vector]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a bot of each size and print a table for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[1_000, 100_000])
    for chunks in parser.parse_args(arguments).chunks:
        with running_server() as server, fresh_database(server) as urls:
            measure(urls, chunks)


def measure(urls: DatabaseUrls, chunks: int) -> None:
    """Fill one bot and print what searching it takes."""
    corpus, database = Corpus(), Database(urls.app)
    print(f"\n{chunks:,} chunks of one bot")
    bot = prepare(urls, database, corpus, chunks)
    vectors = [vector.tolist() for vector in corpus.query_vectors(QUESTIONS)]
    setting = Setting(database, bot, [corpus.question() for _ in vectors], vectors)
    _print_times(setting)
    if chunks > EXACT_CEILING:
        print(f"  HNSW recall@10 against an exact scan: {_recall(setting):.3f}")
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        # Merging leaves room that later writes use; what is counted is what is full.
        connection.execute("VACUUM FULL lexical_postings, lexical_chunks, lexical_segments")
        for name, pattern in (("lexical index", "^lexical_"), ("vectors and HNSW", "^chunk_vectors")):
            row = connection.execute(SIZES, {"pattern": pattern}).fetchone()
            assert row is not None
            print(f"  {name}: {int(row[0]) / chunks:,.0f} bytes a chunk")
    database.close()


def prepare(urls: DatabaseUrls, database: Database, corpus: Corpus, chunks: int) -> Bot:
    """Return a bot with so many chunks, vectors and both indexes, as a bot of a while is."""
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        # Building the HNSW index over rows that are there is several times faster than row by row.
        row = connection.execute("SELECT pg_get_indexdef('chunk_vectors_hnsw_384'::regclass)").fetchone()
        assert row is not None
        connection.execute("DROP INDEX chunk_vectors_hnsw_384")
        bot = _timed("chunks and vectors written", lambda: fill_bot(urls.admin, corpus, chunks))
        connection.execute("SET maintenance_work_mem = '512MB'")
        _timed("HNSW index built", lambda: connection.execute(row[0].replace("ON ONLY", "ON")))
        _timed("lexical index built", lambda: _index(database, bot))
        connection.execute("VACUUM ANALYZE")
    return bot


def _index(database: Database, bot: Bot) -> None:
    namespace = bot.namespace
    for document in bot.documents:
        with database.transaction(namespace.organization_id) as connection:
            index_document(connection, namespace.bot_id, document, 1)
        with database.transaction(namespace.organization_id) as connection:
            compact(connection, namespace.bot_id, budget=SEGMENT_CHUNKS)


def _print_times(setting: Setting) -> None:
    database, namespace = setting.database, setting.bot.namespace
    store = PgVectorStore(database)
    embedder = SyntheticEmbedder(setting.vectors)
    plain = MiniLmEmbedder()
    _print_row("embedding a question", setting.questions, plain.embed_query)
    _print_row("dense", setting.vectors, lambda vector: store.query(namespace, vector, limit=CANDIDATES))
    _print_row("lexical", setting.questions, lambda question: _lexical(database, namespace, question))
    _print_row("search, all in all", setting.questions, lambda question: _search(setting, store, embedder, question))
    _print_row("baseline: ts_rank", setting.questions[:20], lambda question: _baseline(database, namespace, question))


def _lexical(database: Database, namespace: Namespace, question: str) -> None:
    with database.transaction(namespace.organization_id) as connection:
        analysed = analyse(connection, namespace.bot_id, question)
        search_lexical(connection, namespace.bot_id, analysed, limit=CANDIDATES, documents=None)


def _search(setting: Setting, store: PgVectorStore, embedder: SyntheticEmbedder, question: str) -> None:
    namespace = setting.bot.namespace
    search(
        setting.database,
        store,
        lambda _: embedder,
        organization_id=namespace.organization_id,
        bot_id=namespace.bot_id,
        query=question,
    )


def _baseline(database: Database, namespace: Namespace, question: str) -> None:
    with database.transaction(namespace.organization_id) as connection:
        connection.execute(BASELINE, {"bot_id": namespace.bot_id, "question": question}).fetchall()


def _recall(setting: Setting) -> float:
    """Return the mean share of the ten true nearest chunks that the index finds."""
    store, stored = PgVectorStore(setting.database), setting.bot.vectors
    shares = []
    for vector in setting.vectors:
        exact = np.sort(stored @ np.asarray(vector, dtype=np.float32))[-10]
        found = store.query(setting.bot.namespace, vector, limit=10)
        # Half precision moves a similarity by up to about 0.001.
        shares.append(sum(match.score >= exact - 1e-3 for match in found) / 10)
    return float(np.mean(shares))


def _print_row(name: str, inputs: Sequence[Input], call: Callable[[Input], object]) -> None:
    times = []
    for value in inputs:
        begin = perf_counter()
        call(value)
        times.append((perf_counter() - begin) * 1000)
    # The first few warm the caches.
    cuts = quantiles(times[3:], n=20)
    print(f"  {name:24} p50 {cuts[9]:8.1f} ms   p95 {cuts[18]:8.1f} ms", flush=True)


def _timed(name: str, call: Callable[[], Result]) -> Result:
    begin = perf_counter()
    result = call()
    print(f"  {name}: {perf_counter() - begin:.1f} s", flush=True)
    return result


if __name__ == "__main__":
    main()
