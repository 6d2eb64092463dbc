"""What every vector store keeps: the contract of `ports.vectors.VectorStore`."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from uuid import UUID

import pytest

from chatsphere.adapters.pgvector import PgVectorStore
from chatsphere.adapters.pinecone.further_index import FurtherPineconeIndex
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.adapters.qdrant.store import FurtherQdrantCollection, QdrantVectorStore
from chatsphere.adapters.system import UuidV7Ids
from chatsphere.adapters.vectors_by_length import VectorsByLength
from chatsphere.db.database import Database
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace, VectorRecord, VectorStore
from tests.conftest import Tenant
from tests.loopback.pinecone_server import pinecone_settings, running_pinecone, store_in_virtual_time
from tests.loopback.pinecone_state import Staleness
from tests.loopback.qdrant_server import qdrant_settings, running_qdrant
from tests.waiting import wait_for

DIMENSIONS = 384
VECTOR_STORES = ["pgvector", "pinecone", "lagging_pinecone", "qdrant"]


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


@pytest.fixture(scope="module")
def pinecone_store() -> Iterator[VectorStore]:
    with running_pinecone() as pinecone:
        pinecone.create_index("chatsphere", DIMENSIONS)
        yield PineconeVectorStore(pinecone_settings(pinecone, DIMENSIONS))


@pytest.fixture(scope="module")
def lagging_pinecone_store() -> Iterator[VectorStore]:
    """Pinecone whose reads, each kind on its own, see a write only after a few others."""
    with running_pinecone(Staleness(searches=2, listings=3)) as pinecone:
        pinecone.create_index("chatsphere", DIMENSIONS)
        yield store_in_virtual_time(pinecone_settings(pinecone, DIMENSIONS))


@pytest.fixture(scope="module")
def qdrant_store() -> Iterator[VectorStore]:
    with running_qdrant() as qdrant:
        yield QdrantVectorStore(qdrant_settings(qdrant, DIMENSIONS))


@pytest.fixture
def pinecone_case(pinecone_store: VectorStore, ids: UuidV7Ids) -> Case:
    return _free_case(pinecone_store, ids)


@pytest.fixture
def lagging_pinecone_case(lagging_pinecone_store: VectorStore, ids: UuidV7Ids) -> Case:
    return _free_case(lagging_pinecone_store, ids)


@pytest.fixture
def qdrant_case(qdrant_store: VectorStore, ids: UuidV7Ids) -> Case:
    return _free_case(qdrant_store, ids)


@pytest.fixture(params=["pgvector", "pinecone", "qdrant"])
def any_length_case(request: pytest.FixtureRequest, ids: UuidV7Ids) -> Iterator[Case]:
    """A store as a deployment wires it: one for each length of vectors, where the vendor needs that."""
    if request.param == "pgvector":
        prepared: Case = request.getfixturevalue("pgvector_case")
        yield prepared
    elif request.param == "pinecone":
        with running_pinecone() as pinecone:
            pinecone.create_index("chatsphere", DIMENSIONS)
            chosen = pinecone_settings(pinecone, DIMENSIONS)
            main = PineconeVectorStore(chosen)
            yield _free_case(VectorsByLength(main, DIMENSIONS, partial(FurtherPineconeIndex, chosen)), ids)
    else:
        with running_qdrant() as qdrant:
            chosen = qdrant_settings(qdrant, DIMENSIONS)
            main_collection = QdrantVectorStore(chosen)
            further = partial(FurtherQdrantCollection, chosen)
            yield _free_case(VectorsByLength(main_collection, DIMENSIONS, further), ids)


def _free_case(store: VectorStore, ids: UuidV7Ids) -> Case:
    """Return the case of a store that takes no document for granted."""
    return Case(store, ids, lambda: Namespace(ids.new(), ids.new()), lambda _namespace: ids.new())


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


@pytest.mark.parametrize(("kept", "left"), [(None, {3, 10, 11}), (1, {1, 3, 10, 11}), (10, {3, 10, 11})])
def test_newer_generations_can_be_kept(case: Case, kept: int | None, left: set[int]) -> None:
    namespace = case.new_namespace()
    document, other = case.new_document(namespace), case.new_document(namespace)
    records = {number: case.record(document, 0, direction(1), generation=number) for number in (1, 2, 3, 10, 11)}
    case.store.upsert(namespace, [*records.values(), case.record(other, 0, direction(1), generation=1)])

    deleted = case.store.delete_document(namespace, document, except_generation=kept, through_generation=2)

    assert deleted == len(records) - len(left)
    found = case.store.query(namespace, direction(1), limit=10, documents=[document])
    assert {match.chunk_id for match in found} == {records[number].chunk_id for number in left}
    assert case.store.count(namespace, other) == 1


def test_a_namespace_is_deleted_whole(case: Case) -> None:
    namespace = case.new_namespace()
    for _ in range(2):
        document = case.new_document(namespace)
        case.store.upsert(namespace, [case.record(document, n, direction(1, n)) for n in range(2)])

    assert case.store.delete_namespace(namespace) == 4
    assert case.store.query(namespace, direction(1), limit=10) == []


def test_the_same_ids_in_another_organization_are_others(case: Case) -> None:
    mine, other = case.new_namespace(), case.new_namespace()
    document, others_document = case.new_document(mine), case.new_document(other)
    kept = case.record(document, 0, direction(1))
    case.store.upsert(mine, [kept])
    case.store.upsert(other, [case.record(others_document, 0, direction(1))])

    assert case.store.delete_document(Namespace(other.organization_id, mine.bot_id), document) == 0
    assert case.store.delete_document(other, document) == 0
    assert case.store.delete_namespace(other) == 1

    (match,) = case.store.query(mine, direction(1), limit=10)
    assert match.chunk_id == kept.chunk_id


def test_more_records_than_one_request_takes_are_written_in_one_call(case: Case) -> None:
    namespace = case.new_namespace()
    document, other = case.new_document(namespace), case.new_document(namespace)
    records = [case.record(document, ordinal, direction(1, ordinal / 1000)) for ordinal in range(1_100)]
    case.store.upsert(namespace, [*records, case.record(other, 0, direction(0, 1))])

    assert case.store.count(namespace, document) == 1_100
    nearest = case.store.query(namespace, direction(1, 1.099), limit=1)
    assert [match.chunk_id for match in nearest] == [records[-1].chunk_id]
    assert case.store.delete_document(namespace, document) == 1_100
    assert case.store.count(namespace) == 1


def test_batches_may_be_written_at_the_same_time(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    batches = [[case.record(document, 10 * batch + n, direction(1, batch, n)) for n in range(10)] for batch in range(4)]

    with ThreadPoolExecutor(4) as workers:
        # The last of them once more, as a second delivery.
        list(workers.map(lambda records: case.store.upsert(namespace, records), [*batches, batches[-1]]))

    assert case.store.count(namespace, document) == case.store.count(namespace) == 40


def test_a_document_is_found_once_its_write_has_returned(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    record = case.record(document, 0, direction(1))

    case.store.upsert(namespace, [record])

    (match,) = case.store.query(namespace, direction(1), limit=1, documents=[document])
    assert match.chunk_id == record.chunk_id


def test_what_was_deleted_can_be_written_again(case: Case) -> None:
    namespace = case.new_namespace()
    document = case.new_document(namespace)
    record = case.record(document, 0, direction(1))
    case.store.upsert(namespace, [record])
    assert case.store.delete_namespace(namespace) == 1

    case.store.upsert(namespace, [record])
    assert case.store.count(namespace) == 1
    assert case.store.delete_document(namespace, document) == 1
    case.store.upsert(namespace, [record])

    assert [match.chunk_id for match in case.store.query(namespace, direction(1), limit=10)] == [record.chunk_id]


def test_deleting_what_is_not_there_deletes_nothing(case: Case) -> None:
    namespace = case.new_namespace()
    document, missing = case.new_document(namespace), case.ids.new()
    case.store.upsert(namespace, [case.record(document, 0, direction(1))])

    assert case.store.delete_document(namespace, missing) == 0
    assert case.store.delete_document(namespace, document, except_generation=1) == 0
    assert case.store.count(namespace) == 1


def test_a_search_may_name_many_documents(case: Case) -> None:
    namespace = case.new_namespace()
    wanted, other = case.new_document(namespace), case.new_document(namespace)
    best, good = case.record(wanted, 0, direction(1)), case.record(wanted, 1, direction(1, 1))
    case.store.upsert(namespace, [good, best, case.record(other, 0, direction(1))])
    strangers = [case.ids.new() for _ in range(2_500)]

    matches = case.store.query(namespace, direction(1), limit=10, documents=[*strangers, wanted])

    assert [match.chunk_id for match in matches] == [best.chunk_id, good.chunk_id]


def test_the_documents_that_have_vectors_are_listed_part_by_part(case: Case) -> None:
    namespace, other = case.new_namespace(), case.new_namespace()
    documents = [case.new_document(namespace) for _ in range(3)]
    for document in documents:
        case.store.upsert(namespace, [case.record(document, n, direction(1, n)) for n in range(60)])
    case.store.upsert(other, [case.record(case.new_document(other), 0, direction(1))])
    case.store.delete_document(namespace, documents[1])

    page = case.store.documents(namespace)
    found = set(page.documents)
    while page.next_place is not None:
        page = case.store.documents(namespace, after=page.next_place)
        found |= page.documents

    assert found == {documents[0], documents[2]}
    assert case.store.documents(case.new_namespace()).documents == frozenset()


def test_revisions_of_a_bot_are_apart(case: Case) -> None:
    former = case.new_namespace()
    coming = replace(former, revision=1)
    document = case.new_document(former)
    records = [case.record(document, n, direction(1, n)) for n in range(3)]
    case.store.upsert(former, records)
    # The same passages once more, by another model: each vector has the same id in both.
    turned = [replace(record, values=direction(n, 1)) for n, record in enumerate(records)]
    case.store.upsert(coming, turned[:2])
    case.store.upsert(coming, turned[:2])

    assert (case.store.count(former), case.store.count(coming, document)) == (3, 2)
    (nearest,) = case.store.query(coming, direction(0, 1), limit=1)
    assert nearest.score == pytest.approx(1, abs=2e-3)
    (nearest,) = case.store.query(former, direction(0, 1), limit=1)
    assert nearest.chunk_id == records[2].chunk_id
    # Deleting one leaves the other as it is.
    assert case.store.delete_namespace(former) == 3
    assert case.store.count(former) == 0
    assert case.store.delete_document(coming, document, except_generation=1) == 0
    assert case.store.delete_document(coming, document) == 2
    assert case.store.count(coming) == 0


def test_a_revision_may_have_vectors_of_another_length(any_length_case: Case) -> None:
    case = any_length_case
    former = case.new_namespace()
    coming = replace(former, revision=1, dimensions=768)
    document = case.new_document(former)
    case.store.upsert(former, [case.record(document, 0, direction(1))])
    assert (case.store.count(coming), case.store.delete_document(coming, document)) == (0, 0)
    assert case.store.query(coming, [1.0] + [0.0] * 767, limit=1) == []
    longer = case.record(document, 0, [0.6, 0.8] + [0.0] * 766)

    case.store.upsert(coming, [longer])

    (match,) = case.store.query(coming, [1.0] + [0.0] * 767, limit=10)
    assert match.chunk_id == longer.chunk_id
    assert match.score == pytest.approx(0.6, abs=2e-3)
    assert (case.store.count(former), case.store.count(coming)) == (1, 1)
    assert case.store.delete_namespace(coming) == 1
    assert case.store.count(former) == 1


def test_vectors_are_fetched_as_they_were_written(case: Case) -> None:
    namespace, other = case.new_namespace(), case.new_namespace()
    document = case.new_document(namespace)
    first, second = (case.record(document, ordinal, direction(1, ordinal)) for ordinal in range(2))
    case.store.upsert(namespace, [first, second])
    missing = f"{document}:2:0"
    ids = [first.id, second.id]
    wait_for(lambda: len(case.store.fetch(namespace, ids)) == 2, what="what was written to be shown")

    found = case.store.fetch(namespace, [second.id, missing])

    assert list(found) == [second.id]
    assert found[second.id] == pytest.approx(second.values, abs=1e-3)
    assert case.store.fetch(other, [first.id]) == {}
    assert case.store.fetch(namespace, []) == {}
