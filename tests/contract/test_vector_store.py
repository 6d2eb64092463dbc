"""What every vector store keeps: the contract of `ports.VectorStore`."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from uuid import UUID

import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.db.database import Database
from chatsphere.ports import Namespace, Vector, VectorRecord, VectorStore
from tests.conftest import Tenant

DIMENSIONS = 384
VECTOR_STORES = ["pgvector"]


@dataclass(frozen=True)
class Case:
    """A store, and how to prepare what it takes for granted."""

    store: VectorStore
    ids: UuidV7Ids
    new_namespace: Callable[[], Namespace]
    new_document: Callable[[Namespace], UUID]

    def record(self, document: UUID, ordinal: int, values: Vector, *, generation: int = 1) -> VectorRecord:
        """Return a record of the document with a chunk id of its own."""
        return VectorRecord(f"{document}:{generation}:{ordinal}", values, document, generation, self.ids.new())


@pytest.fixture(params=VECTOR_STORES)
def case(request: pytest.FixtureRequest) -> Case:
    prepared: Case = request.getfixturevalue(f"{request.param}_case")
    return prepared


@pytest.fixture
def pgvector_case(database: Database, ids: UuidV7Ids, make_tenant: Callable[[], Tenant]) -> Case:
    def new_namespace() -> Namespace:
        tenant = make_tenant()
        return Namespace(tenant.organization_id, tenant.bot_id)

    def new_document(namespace: Namespace) -> UUID:
        document = ids.new()
        with database.transaction(namespace.organization_id) as connection:
            connection.execute(
                "INSERT INTO documents (id, organization_id, bot_id, name, source) VALUES (%s, %s, %s, 'd', 'text')",
                (document, namespace.organization_id, namespace.bot_id),
            )
        return document

    return Case(PgVectorStore(database), ids, new_namespace, new_document)


def direction(*weights: float) -> Vector:
    """Return the unit vector whose first components are in these proportions."""
    length = sqrt(sum(weight * weight for weight in weights))
    return [weight / length for weight in weights] + [0.0] * (DIMENSIONS - len(weights))


def test_the_nearest_come_first_with_their_cosines(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    near, opposite, middle = (
        case.record(document, ordinal, direction(*weights))
        for ordinal, weights in enumerate([(1, 0.1), (-1, 0), (1, 1)])
    )
    case.store.upsert(namespace, [opposite, middle, near])

    matches = case.store.query(namespace, direction(1, 0), limit=10)

    assert [match.chunk_id for match in matches] == [near.chunk_id, middle.chunk_id, opposite.chunk_id]
    assert [match.score for match in matches] == pytest.approx([0.995, 0.707, -1.0], abs=2e-3)
    assert {match.document_id for match in matches} == {document}


def test_no_more_than_the_limit_is_returned(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    records = [case.record(document, ordinal, direction(1, ordinal)) for ordinal in range(5)]
    case.store.upsert(namespace, records)

    matches = case.store.query(namespace, direction(1, 0), limit=2)

    assert [match.chunk_id for match in matches] == [records[0].chunk_id, records[1].chunk_id]


def test_a_record_with_a_known_id_replaces_it(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    case.store.upsert(namespace, [case.record(document, 0, direction(1, 0))])
    replacement = case.record(document, 0, direction(0, 1))

    case.store.upsert(namespace, [replacement])

    (match,) = case.store.query(namespace, direction(0, 1), limit=10)
    assert match.chunk_id == replacement.chunk_id
    assert match.score == pytest.approx(1, abs=2e-3)
    assert case.store.count(namespace) == 1


def test_nothing_written_is_nothing_found(case: Case) -> None:
    namespace = case.new_namespace()

    case.store.upsert(namespace, [])

    assert case.store.query(namespace, direction(1), limit=10) == []
    assert case.store.count(namespace) == 0
    assert case.store.delete_namespace(namespace) == 0


def test_namespaces_are_apart(case: Case) -> None:
    mine, other = case.new_namespace(), case.new_namespace()
    document = case.new_document(mine)
    case.store.upsert(mine, [case.record(document, 0, direction(1))])

    assert case.store.query(other, direction(1), limit=10) == []
    assert case.store.count(other) == 0
    assert case.store.delete_document(other, document) == 0
    assert case.store.delete_namespace(other) == 0
    assert case.store.count(mine) == 1


def test_another_organization_reaches_nothing_by_naming_the_bot(case: Case) -> None:
    mine, other = case.new_namespace(), case.new_namespace()
    document = case.new_document(mine)
    case.store.upsert(mine, [case.record(document, 0, direction(1))])
    forged = Namespace(other.organization_id, mine.bot_id)

    assert case.store.query(forged, direction(1), limit=10) == []
    assert case.store.count(forged) == 0
    assert case.store.delete_namespace(forged) == 0
    assert case.store.count(mine) == 1


def test_a_search_can_be_restricted_to_documents(case: Case) -> None:
    namespace = case.new_namespace()
    first, second = case.new_document(namespace), case.new_document(namespace)
    wanted = case.record(second, 0, direction(1, 1))
    case.store.upsert(namespace, [case.record(first, 0, direction(1)), wanted])

    (match,) = case.store.query(namespace, direction(1), limit=10, documents=[second])

    assert (match.chunk_id, match.document_id) == (wanted.chunk_id, second)
    assert case.store.query(namespace, direction(1), limit=10, documents=[]) == []


def test_deleting_a_document_says_how_many_vectors_went(case: Case) -> None:
    namespace = case.new_namespace()
    first, second = case.new_document(namespace), case.new_document(namespace)
    case.store.upsert(namespace, [case.record(first, ordinal, direction(1, ordinal)) for ordinal in range(3)])
    case.store.upsert(namespace, [case.record(second, 0, direction(1))])

    assert case.store.delete_document(namespace, first) == 3
    assert case.store.delete_document(namespace, first) == 0
    assert case.store.count(namespace, first) == 0
    assert case.store.count(namespace, second) == case.store.count(namespace) == 1


def test_one_generation_can_be_kept(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    kept = case.record(document, 0, direction(1), generation=2)
    case.store.upsert(namespace, [case.record(document, n, direction(1), generation=1) for n in range(2)])
    case.store.upsert(namespace, [kept])

    assert case.store.delete_document(namespace, document, except_generation=2) == 2

    (match,) = case.store.query(namespace, direction(1), limit=10)
    assert match.chunk_id == kept.chunk_id


def test_a_namespace_is_deleted_whole(case: Case) -> None:
    namespace = case.new_namespace()
    for _ in range(2):
        document = case.new_document(namespace)
        case.store.upsert(namespace, [case.record(document, n, direction(1, n)) for n in range(2)])

    assert case.store.delete_namespace(namespace) == 4
    assert case.store.query(namespace, direction(1), limit=10) == []
