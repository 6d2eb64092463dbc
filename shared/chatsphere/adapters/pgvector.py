"""The vector store in PostgreSQL itself, by the extension pgvector. Vectors are kept at half precision."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import psycopg

from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.ports import Namespace, Vector, VectorMatch, VectorRecord

EXACT_CEILING: Final = 15_000
"""Up to so many vectors a search compares each one: as fast as the index, and it misses none."""

# A vector's id is (document, generation, ordinal); the same id again replaces what it held.
UPSERT = """
INSERT INTO chunk_vectors
    (organization_id, bot_id, document_id, generation, ordinal, chunk_id, dimensions, embedding)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::halfvec)
ON CONFLICT (bot_id, document_id, generation, ordinal) DO UPDATE
SET chunk_id = excluded.chunk_id, dimensions = excluded.dimensions, embedding = excluded.embedding
"""

# How many vectors a search would compare, counted no further than it matters for the choice of plan.
COUNT_UP_TO = "SELECT app.count_vectors(%(bot)s, %(documents)s, %(ceiling)s) AS vectors"

# The planner would take the index for small bots as well, where it is slow and forgetful: two functions.
NEAREST_EXACT = "SELECT * FROM app.nearest_vectors_exact(%(bot)s, %(vector)s::halfvec, %(documents)s, %(limit)s)"
NEAREST_INDEXED = "SELECT * FROM app.nearest_vectors_indexed(%(bot)s, %(vector)s::halfvec, %(documents)s, %(limit)s)"

DELETE_DOCUMENT = """
DELETE FROM chunk_vectors
WHERE bot_id = %(bot)s AND document_id = %(document)s AND generation IS DISTINCT FROM %(except_generation)s
"""

DELETE_NAMESPACE = "DELETE FROM chunk_vectors WHERE bot_id = %(bot)s"

COUNT = """
SELECT count(*) AS vectors FROM chunk_vectors
WHERE bot_id = %(bot)s AND (%(document)s::uuid IS NULL OR document_id = %(document)s)
"""


class PgVectorStore:
    """The `VectorStore` port. Each call is one short transaction as the namespace's organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records. The document of each must exist."""
        rows = [
            (
                namespace.organization_id,
                namespace.bot_id,
                record.document_id,
                record.generation,
                int(record.id.rpartition(":")[2]),
                record.chunk_id,
                len(record.values),
                _literal(record.values),
            )
            for record in records
        ]
        try:
            with self._database.transaction(namespace.organization_id) as connection, connection.cursor() as cursor:
                cursor.executemany(UPSERT, rows)
        except psycopg.errors.ForeignKeyViolation:
            raise NotFoundError("There is no such document.") from None

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return the nearest vectors: exactly for small searches, by the HNSW index for large ones."""
        if documents is not None and not documents:
            return []
        parameters = {
            "bot": namespace.bot_id,
            "vector": _literal(vector),
            "documents": None if documents is None else list(documents),
            "limit": limit,
        }
        with self._database.transaction(namespace.organization_id) as connection:
            compared = _count(connection, COUNT_UP_TO, {**parameters, "ceiling": EXACT_CEILING + 1})
            rows = []
            if compared > EXACT_CEILING:
                rows = connection.execute(NEAREST_INDEXED, parameters).fetchall()
            if len(rows) < min(limit, compared):
                # A small search; or the index's partition holds too many vectors that the filters reject.
                rows = connection.execute(NEAREST_EXACT, parameters).fetchall()
        matches = [VectorMatch(row["chunk_id"], row["document_id"], row["score"]) for row in rows]
        # The index may return vectors slightly out of order.
        return sorted(matches, key=lambda match: -match.score)

    def delete_document(self, namespace: Namespace, document_id: UUID, *, except_generation: int | None = None) -> int:
        """Delete a document's vectors, but for one generation if named; return how many were deleted."""
        parameters = {"bot": namespace.bot_id, "document": document_id, "except_generation": except_generation}
        with self._database.transaction(namespace.organization_id) as connection:
            return connection.execute(DELETE_DOCUMENT, parameters).rowcount

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the bot and return how many there were."""
        with self._database.transaction(namespace.organization_id) as connection:
            return connection.execute(DELETE_NAMESPACE, {"bot": namespace.bot_id}).rowcount

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors of the bot, or of one document in it."""
        with self._database.transaction(namespace.organization_id) as connection:
            return _count(connection, COUNT, {"bot": namespace.bot_id, "document": document_id})


def _count(connection: Connection, query: str, parameters: dict[str, object]) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    count: int = row["vectors"]
    return count


def _literal(vector: Vector) -> str:
    """Return the vector in pgvector's text form."""
    return f"[{','.join(format(value, '.6g') for value in vector)}]"
