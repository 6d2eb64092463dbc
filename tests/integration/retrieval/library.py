"""Fills bots for tests of retrieval, and looks into the lexical index."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Any
from uuid import UUID

from psycopg import sql

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.retrieval.lexical import analyse, search_lexical
from chatsphere.knowledge.retrieval.lexical_index import index_document, unindex_document
from chatsphere.knowledge.retrieval.models import SearchResult
from chatsphere.knowledge.retrieval.search import search
from chatsphere.ports.embedding import Embedder, Vector
from chatsphere.ports.vectors import Namespace, VectorRecord, VectorStore

DIMENSIONS = 384

ADD_DOCUMENT = """
INSERT INTO documents (id, organization_id, bot_id, name, source, status, generation, live_generation)
VALUES (%(id)s, %(organization)s, %(bot)s, %(name)s, 'text', 'ready', 1, 1)
"""

ADD_CHUNK = """
INSERT INTO chunks (id, organization_id, bot_id, document_id, generation, batch, ordinal, content, heading_path,
    page_start, page_end, char_start, char_end, token_count, vector_id, language)
VALUES (%(id)s, %(organization)s, %(bot)s, %(document)s, %(generation)s, 0, %(ordinal)s, %(content)s, %(heading)s,
    1, 1, %(start)s, %(end)s, 1, %(vector)s, %(language)s)
"""

SET_COLUMN = sql.SQL("UPDATE documents SET {} = %(value)s WHERE id = %(id)s")

# Every entry of the bot's index, unpacked.
ENTRIES = """
SELECT p.lexeme, l.chunk_id, (e >> 10) & 63 AS frequency, e & 1023 AS length
FROM lexical_segments s
JOIN lexical_postings p ON p.segment_id = s.id
CROSS JOIN unnest(p.entries) AS e
LEFT JOIN lexical_chunks l ON l.segment_id = s.id AND l.ordinal = e >> 16
WHERE s.bot_id = %(bot)s
"""

# What the index should hold.
LEXEMES = """
SELECT u.lexeme, c.id AS chunk_id, least(cardinality(u.positions), 63) AS frequency,
    least(size.length, 1023) AS length, size.length AS full_length
FROM chunks c
CROSS JOIN LATERAL (SELECT sum(cardinality(positions))::integer AS length FROM unnest(c.lexemes)) AS size
JOIN documents d ON d.id = c.document_id AND d.live_generation = c.generation AND d.status <> 'deleting'
CROSS JOIN unnest(c.lexemes) AS u
WHERE c.bot_id = %(bot)s
"""

TOTALS = """
SELECT COALESCE(sum(chunk_count), 0)::integer AS chunks, COALESCE(sum(total_length), 0)::integer AS length,
    count(*) AS segments
FROM lexical_segments WHERE bot_id = %(bot)s
"""


class WordEmbedder:
    """Texts are similar as far as they share words: each word is a random direction. A token is a word."""

    model = "words"
    dimensions = DIMENSIONS

    def count_tokens(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())

    def cost(self, _tokens: int) -> int:
        """Return 0: it is free."""
        return 0

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return the sums of the words' directions, of length one."""
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> Vector:
        """Return the sum of the words' directions, of length one."""
        total = [1e-6] * DIMENSIONS
        for word in set(text.casefold().split()):
            digest = hashlib.shake_256(word.encode()).digest(DIMENSIONS)
            total = [value + byte - 127.5 for value, byte in zip(total, digest, strict=True)]
        length = sqrt(sum(value * value for value in total))
        return [value / length for value in total]


@dataclass
class Library:
    """One bot and what it was given."""

    database: Database
    ids: UuidV7Ids
    namespace: Namespace
    chunks: dict[UUID, list[UUID]] = field(default_factory=dict)

    def add(
        self,
        *texts: str,
        name: str = "document",
        heading: Sequence[str] = (),
        index: bool = True,
        language: str | None = None,
        **columns: Any,
    ) -> UUID:
        """Add a document of these chunks, searchable at once unless `index` is false, with further `columns`."""
        document = self.ids.new()
        with self.transaction() as connection:
            connection.execute(
                ADD_DOCUMENT,
                {
                    "id": document,
                    "organization": self.namespace.organization_id,
                    "bot": self.namespace.bot_id,
                    "name": name,
                },
            )
            for column, value in columns.items():
                connection.execute(SET_COLUMN.format(sql.Identifier(column)), {"id": document, "value": value})
            self.write_chunks(connection, document, texts, generation=1, heading=heading, language=language)
            if index:
                index_document(connection, self.namespace.bot_id, document, 1)
        return document

    def write_chunks(
        self,
        connection: Connection,
        document: UUID,
        texts: Sequence[str],
        *,
        generation: int,
        heading: Sequence[str] = (),
        language: str | None = None,
    ) -> list[UUID]:
        """Write the chunks of a generation, one blank line apart."""
        start, keys = 0, []
        for ordinal, text in enumerate(texts):
            keys.append(self.ids.new())
            connection.execute(
                ADD_CHUNK,
                {
                    "id": keys[-1],
                    "organization": self.namespace.organization_id,
                    "bot": self.namespace.bot_id,
                    "document": document,
                    "generation": generation,
                    "ordinal": ordinal,
                    "content": text,
                    "heading": list(heading),
                    "start": start,
                    "end": start + len(text),
                    "vector": f"{document}:{generation}:{ordinal}",
                    "language": language,
                },
            )
            start += len(text) + 2
        self.chunks[document] = keys
        return keys

    def remove(self, document: UUID) -> None:
        """Delete a document."""
        with self.transaction() as connection:
            unindex_document(connection, self.namespace.bot_id, document, except_generation=None)
            connection.execute("DELETE FROM documents WHERE id = %s", (document,))

    def embed(self, store: VectorStore, document: UUID, texts: Sequence[str], *, generation: int = 1) -> None:
        """Write the vectors of the document's chunks."""
        vectors = WordEmbedder().embed_documents(texts)
        store.upsert(
            self.namespace,
            [
                VectorRecord(f"{document}:{generation}:{n}", vector, document, generation, chunk)
                for n, (chunk, vector) in enumerate(zip(self.chunks[document], vectors, strict=True))
            ],
        )

    def shelve(self, *texts: str, **options: Any) -> UUID:
        """Add a document with its vectors in PostgreSQL; `options` as of `add`."""
        document = self.add(*texts, **options)
        self.embed(PgVectorStore(self.database), document, texts)
        return document

    def find(self, question: str, *, limit: int = 10, documents: Sequence[UUID] | None = None) -> dict[UUID, float]:
        """Return the lexical scores of the chunks found, best first."""
        with self.transaction() as connection:
            analysed = analyse(connection, self.namespace.bot_id, question)
            matches = search_lexical(connection, self.namespace.bot_id, analysed, limit=limit, documents=documents)
        return {match.chunk_id: match.score for match in matches}

    def search(
        self,
        query: str,
        *,
        store: VectorStore | None = None,
        embedders: Callable[[str | None], Embedder] | None = None,
        **options: Any,
    ) -> SearchResult:
        """Search the bot with the `options` of `search`; unless said, by words' directions that PostgreSQL keeps."""
        return search(
            self.database,
            store or PgVectorStore(self.database),
            embedders or (lambda _: WordEmbedder()),
            organization_id=self.namespace.organization_id,
            bot_id=self.namespace.bot_id,
            query=query,
            **options,
        )

    def assert_index_is_exact(self) -> None:
        """Check that the index holds every occurrence in what readers may see, once, and nothing else."""
        parameters = {"bot": self.namespace.bot_id}
        with self.transaction() as connection:
            held = [tuple(row.values()) for row in connection.execute(ENTRIES, parameters)]
            rows = connection.execute(LEXEMES, parameters).fetchall()
            totals = connection.execute(TOTALS, parameters).fetchone()
        expected = [(row["lexeme"], row["chunk_id"], row["frequency"], row["length"]) for row in rows]
        assert sorted(held, key=str) == sorted(expected, key=str)
        lengths = {row["chunk_id"]: row["full_length"] for row in rows}
        assert totals is not None
        assert (totals["chunks"], totals["length"]) == (len(lengths), sum(lengths.values()))

    def transaction(self) -> AbstractContextManager[Connection]:
        """Begin a transaction as the bot's organization."""
        return self.database.transaction(self.namespace.organization_id)


def bm25(query: Sequence[str], texts: Sequence[Sequence[str]], k1: float = 1.5, b: float = 0.75) -> list[float]:
    """Return the texts' scores by the formula as published (Robertson; idf as in Lucene)."""
    average = sum(map(len, texts)) / len(texts)
    scores = []
    for text in texts:
        score = 0.0
        for word in set(query):
            containing = sum(word in other for other in texts)
            frequency = text.count(word)
            idf = log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))
            score += idf * frequency / (frequency + k1 * (1 - b + b * len(text) / average))
        scores.append(score)
    return scores
