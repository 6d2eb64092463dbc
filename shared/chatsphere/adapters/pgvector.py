"""The vector store in PostgreSQL itself, by the extension pgvector. Vectors are kept at half precision."""

# Only constants are put together here; every value is a parameter.
# ruff: noqa: S608

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg

from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorMatch, VectorRecord, VectorsPage

EXACT_CEILING: Final = 15_000
"""Up to so many vectors a search compares each one: as fast as the index, and it misses none."""

# How many vectors a search would compare, counted no further than it matters for the choice of plan.
COUNT_UP_TO = "SELECT app.count_vectors(%(bot)s, %(revision)s, %(documents)s, %(ceiling)s) AS vectors"

# The planner would take the index for small bots as well, where it is slow and forgetful: two functions.
NEAREST_EXACT = (
    "SELECT * FROM app.nearest_vectors_exact(%(bot)s, %(revision)s, %(vector)s::halfvec, %(documents)s, %(limit)s)"
)
NEAREST_INDEXED = (
    "SELECT * FROM app.nearest_vectors_indexed(%(bot)s, %(revision)s, %(vector)s::halfvec, %(documents)s, %(limit)s)"
)

LISTED: Final = 500
"""Documents of one `VectorsPage`."""


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements on one of the two tables: revision 0 has its own, for the first one had no revisions."""

    upsert: str
    delete_document: str
    delete_namespace: str
    count: str
    fetch: str
    documents: str


def _statements(table: str, namespace: str, *key: str) -> _Statements:
    # A vector's id is (document, generation, ordinal); the same id again replaces what it held.
    columns = ["organization_id", *key, "document_id", "generation", "ordinal", "chunk_id", "dimensions", "embedding"]
    places = ", ".join(f"%({column})s" for column in columns)
    return _Statements(
        upsert=f"""
            INSERT INTO {table} ({", ".join(columns)}) VALUES ({places}::halfvec)
            ON CONFLICT ({", ".join(key)}, document_id, generation, ordinal) DO UPDATE
            SET chunk_id = excluded.chunk_id, dimensions = excluded.dimensions, embedding = excluded.embedding""",
        delete_document=f"""
            DELETE FROM {table}
            WHERE {namespace} AND document_id = %(document)s AND generation IS DISTINCT FROM %(except_generation)s
              AND (%(through_generation)s::integer IS NULL OR generation <= %(through_generation)s)""",
        delete_namespace=f"DELETE FROM {table} WHERE {namespace}",
        count=f"""
            SELECT count(*) AS vectors FROM {table}
            WHERE {namespace} AND (%(document)s::uuid IS NULL OR document_id = %(document)s)""",
        fetch=f"""
            SELECT ordinal, embedding::text AS embedding FROM {table}
            WHERE {namespace} AND document_id = %(document)s AND generation = %(generation)s
              AND ordinal = ANY (%(ordinals)s)""",
        documents=f"""
            SELECT DISTINCT document_id FROM {table}
            WHERE {namespace} AND (%(after)s::uuid IS NULL OR document_id > %(after)s::uuid)
            ORDER BY document_id LIMIT %(limit)s""",
    )


FIRST: Final = _statements("chunk_vectors", "bot_id = %(bot)s", "bot_id")
REVISED: Final = _statements("revised_vectors", "bot_id = %(bot)s AND revision = %(revision)s", "bot_id", "revision")


class PgVectorStore:
    """The `VectorStore` port. Each call is one short transaction as the namespace's organization."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records. The document of each must exist."""
        rows = [
            {
                "organization_id": namespace.organization_id,
                "bot_id": namespace.bot_id,
                "revision": namespace.revision,
                "document_id": record.document_id,
                "generation": record.generation,
                "ordinal": int(record.id.rpartition(":")[2]),
                "chunk_id": record.chunk_id,
                "dimensions": len(record.values),
                "embedding": vector_literal(record.values),
            }
            for record in records
        ]
        try:
            with self._database.transaction(namespace.organization_id) as connection, connection.cursor() as cursor:
                cursor.executemany(_of(namespace).upsert, rows)
        except psycopg.errors.ForeignKeyViolation:
            raise NotFoundError("There is no such document.") from None

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return the nearest vectors: exactly for small searches, by the HNSW index for large ones."""
        if documents is not None and not documents:
            return []
        parameters = {
            **_place(namespace),
            "vector": vector_literal(vector),
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

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """Delete a document's vectors of the generations that are meant; return how many were deleted."""
        parameters = _place(namespace) | {
            "document": document_id,
            "except_generation": except_generation,
            "through_generation": through_generation,
        }
        with self._database.transaction(namespace.organization_id) as connection:
            return connection.execute(_of(namespace).delete_document, parameters).rowcount

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the bot and return how many there were."""
        with self._database.transaction(namespace.organization_id) as connection:
            return connection.execute(_of(namespace).delete_namespace, _place(namespace)).rowcount

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors of the bot, or of one document in it."""
        with self._database.transaction(namespace.organization_id) as connection:
            return _count(connection, _of(namespace).count, _place(namespace) | {"document": document_id})

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """Return vectors by their ids, exactly as they are kept: a number at half precision has few digits."""
        wanted: defaultdict[str, list[int]] = defaultdict(list)
        for vector_id in ids:
            generation, _, ordinal = vector_id.rpartition(":")
            wanted[generation].append(int(ordinal))
        found: dict[str, Vector] = {}
        with self._database.transaction(namespace.organization_id) as connection:
            for prefix, ordinals in wanted.items():
                document, _, generation = prefix.partition(":")
                values = {"document": document, "generation": int(generation), "ordinals": ordinals}
                for row in connection.execute(_of(namespace).fetch, _place(namespace) | values):
                    found[f"{prefix}:{row['ordinal']}"] = json.loads(row["embedding"])
        return found

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return the next documents that have vectors, in the order of their ids."""
        parameters = _place(namespace) | {"after": after, "limit": LISTED}
        with self._database.transaction(namespace.organization_id) as connection:
            found = [row["document_id"] for row in connection.execute(_of(namespace).documents, parameters)]
        return VectorsPage(frozenset(found), str(found[-1]) if len(found) == LISTED else None)


def _of(namespace: Namespace) -> _Statements:
    return REVISED if namespace.revision else FIRST


def _place(namespace: Namespace) -> dict[str, object]:
    return {"bot": namespace.bot_id, "revision": namespace.revision}


def _count(connection: Connection, query: str, parameters: dict[str, object]) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    count: int = row["vectors"]
    return count


def vector_literal(vector: Vector) -> str:
    """Return the vector in pgvector's text form."""
    return f"[{','.join(format(value, '.6g') for value in vector)}]"
