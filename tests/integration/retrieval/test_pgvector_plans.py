"""pgvector's two ways to search: which one is taken, and that both find the same."""

import random
from uuid import UUID

import pytest

from chatsphere.adapters import pgvector
from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import VectorRecord
from tests.integration.retrieval.library import DIMENSIONS, Library
from tests.postgres import DatabaseUrls


def random_vector(chance: random.Random) -> Vector:
    """Return a vector of length about one."""
    return [chance.gauss(0, DIMENSIONS**-0.5) for _ in range(DIMENSIONS)]


def fill(library: Library, store: PgVectorStore, count: int, seed: int) -> UUID:
    """Add a document with vectors and no chunks; return it."""
    chance, document = random.Random(seed), library.add()
    store.upsert(
        library.namespace,
        [
            VectorRecord(f"{document}:1:{number}", random_vector(chance), document, 1, library.ids.new())
            for number in range(count)
        ],
    )
    return document


def test_the_index_finds_what_comparing_all_finds(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PgVectorStore(library.database)
    fill(library, store, 300, seed=1)
    queries = [random_vector(random.Random(seed)) for seed in range(10)]
    exact = [{match.chunk_id for match in store.query(library.namespace, query, limit=10)} for query in queries]
    monkeypatch.setattr(pgvector, "EXACT_CEILING", 10)

    found = [store.query(library.namespace, query, limit=10) for query in queries]

    shares = [len({match.chunk_id for match in matches} & truth) for matches, truth in zip(found, exact, strict=True)]
    assert sum(shares) >= 95
    assert all(matches == sorted(matches, key=lambda match: -match.score) for matches in found)


@pytest.mark.parametrize(("ceiling", "indexed"), [(10, True), (1000, False)])
def test_only_large_searches_use_the_index(
    library: Library, monkeypatch: pytest.MonkeyPatch, ceiling: int, indexed: bool
) -> None:
    store = PgVectorStore(library.database)
    fill(library, store, 100, seed=2)
    monkeypatch.setattr(pgvector, "EXACT_CEILING", ceiling)
    # Given: the search by index is marked by its scores.
    monkeypatch.setattr(
        pgvector, "NEAREST_INDEXED", f"SELECT chunk_id, document_id, 7.0 AS score FROM ({pgvector.NEAREST_INDEXED}) n"
    )

    matches = store.query(library.namespace, random_vector(random.Random(3)), limit=10)

    assert len(matches) == 10
    assert {match.score == 7.0 for match in matches} == {indexed}


def test_filters_that_starve_the_index_do_not_starve_the_caller(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PgVectorStore(library.database)
    fill(library, store, 200, seed=4)
    rare = fill(library, store, 3, seed=5)
    monkeypatch.setattr(pgvector, "EXACT_CEILING", 1)

    matches = store.query(library.namespace, random_vector(random.Random(6)), limit=10, documents=[rare])

    assert {match.document_id for match in matches} == {rare}
    assert len(matches) == 3


def test_vectors_of_another_length_are_not_compared(library: Library) -> None:
    store, document = PgVectorStore(library.database), library.add()
    store.upsert(library.namespace, [VectorRecord(f"{document}:1:0", [1.0, 0.0], document, 1, library.ids.new())])

    assert store.query(library.namespace, random_vector(random.Random(7)), limit=10) == []
    assert len(store.query(library.namespace, [1.0, 0.0], limit=10)) == 1


def test_deleting_a_document_row_takes_its_vectors_along(library: Library) -> None:
    store = PgVectorStore(library.database)
    document = fill(library, store, 2, seed=8)

    with library.transaction() as connection:
        connection.execute("DELETE FROM documents WHERE id = %s", (document,))

    assert store.count(library.namespace) == 0


def test_a_database_that_does_not_answer_is_unavailable(library: Library, database_urls: DatabaseUrls) -> None:
    nowhere = PgVectorStore(Database("postgresql://nobody@127.0.0.1:1/nothing"))

    with pytest.raises(UnavailableError):
        nowhere.count(library.namespace)


def test_vectors_of_a_deleted_document_are_refused(library: Library) -> None:
    missing = library.ids.new()
    values = random_vector(random.Random(1))
    record = VectorRecord(f"{missing}:1:0", values, missing, 1, library.ids.new())
    with pytest.raises(NotFoundError):
        PgVectorStore(library.database).upsert(library.namespace, [record])
