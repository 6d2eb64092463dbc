"""What the Pinecone adapter does beyond the contract: request sizes, and reads that lag behind writes."""

import json
import logging
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from chatsphere.adapters.pinecone.index import PineconeIndex
from chatsphere.adapters.pinecone.reading import PineconeReader
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.adapters.pinecone.writing import MAX_RECORDS, MAX_REQUEST_BYTES
from chatsphere.adapters.upstream import Reply
from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.vectors import Namespace
from tests.loopback.pinecone_server import PineconeServer, pinecone_settings, running_pinecone, store_in_virtual_time
from tests.loopback.pinecone_state import NEVER, Staleness
from tests.loopback.scripted_http import Request
from tests.unit.vector_stores.building import DIMENSIONS, new_namespace, record, records
from tests.waiting import wait_for


def store_of(pinecone: PineconeServer, *, visible_seconds: float = 10.0) -> PineconeVectorStore:
    return store_in_virtual_time(pinecone_settings(pinecone, DIMENSIONS, vector_visible_seconds=visible_seconds))


@pytest.fixture
def lagging() -> Iterator[PineconeServer]:
    """A Pinecone whose staleness a test may change."""
    with running_pinecone(Staleness()) as server:
        server.create_index("chatsphere", DIMENSIONS)
        yield server


def paths(requests: list[Request]) -> list[str]:
    return [request.path for request in requests]


# ------------------------------------------------------------------------------------------------- requests


def test_upserts_keep_within_the_records_of_a_request(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore
) -> None:
    pinecone_store.upsert(new_namespace(), records(uuid4(), 2 * MAX_RECORDS + 1))

    assert [len(r.body["vectors"]) for r in pinecone.requests if r.path == "/vectors/upsert"] == [1_000, 1_000, 1]


def test_upserts_keep_within_the_bytes_of_a_request() -> None:
    with running_pinecone() as pinecone:
        pinecone.create_index("chatsphere", 1_024)
        store = PineconeVectorStore(pinecone_settings(pinecone, 1_024))
        document = uuid4()
        values = [-0.12345678901234567 / (n + 1) for n in range(1_024)]

        store.upsert(new_namespace(), [record(document, ordinal, values) for ordinal in range(200)])

        sizes = [request.size for request in pinecone.requests if request.path == "/vectors/upsert"]
    assert len(sizes) > 1
    assert max(sizes) <= MAX_REQUEST_BYTES
    assert max(sizes) > 0.95 * MAX_REQUEST_BYTES


def test_deletes_keep_within_the_ids_of_a_request(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore
) -> None:
    namespace, document = new_namespace(), uuid4()
    pinecone_store.upsert(namespace, records(document, 2_050))

    assert pinecone_store.delete_document(namespace, document) == 2_050
    assert [len(r.body["ids"]) for r in pinecone.requests if r.path == "/vectors/delete"] == [1_000, 1_000, 50]


def test_pages_may_be_shorter_than_asked_for(pinecone: PineconeServer, pinecone_store: PineconeVectorStore) -> None:
    namespace, document = new_namespace(), uuid4()
    pinecone_store.upsert(namespace, records(document, 7))
    pinecone.indexes["chatsphere"].data.page = 2

    assert pinecone_store.count(namespace, document) == 7
    assert paths(pinecone.requests).count("/vectors/list") == 4


def test_a_document_may_have_more_vectors_than_a_search_shows(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("chatsphere.adapters.pinecone.reading", "tests.loopback.pinecone_data_plane"):
        monkeypatch.setattr(f"{place}.MAX_TOP_K", 100)
    namespace, document = new_namespace(), uuid4()
    pinecone_store.upsert(namespace, records(document, 250))

    assert pinecone_store.count(namespace, document) == pinecone_store.count(namespace) == 250
    assert pinecone_store.delete_document(namespace, document) == 250
    assert pinecone_store.count(namespace) == 0


def test_many_documents_are_searched_in_several_requests(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore
) -> None:
    namespace, (first, last) = new_namespace(), (uuid4(), uuid4())
    near, nearer = record(first, 0, [1.0, 1.0, 0.0]), record(last, 0)
    pinecone_store.upsert(namespace, [near, nearer])
    pinecone.requests.clear()

    documents = [first, *(uuid4() for _ in range(2_000)), last]
    matches = pinecone_store.query(namespace, [1.0, 0.0, 0.0], limit=2, documents=documents)

    assert [match.chunk_id for match in matches] == [nearer.chunk_id, near.chunk_id]
    assert [len(request.body["filter"]["document_id"]["$in"]) for request in pinecone.requests] == [1_000, 1_000, 2]


# ------------------------------------------------------------------------------------------------ staleness


def test_a_write_has_returned_when_a_search_sees_it(lagging: PineconeServer) -> None:
    lagging.staleness.searches = 5
    namespace, one = new_namespace(), record(uuid4(), 0)

    store_of(lagging).upsert(namespace, [one])

    assert found(store_of(lagging), namespace) == [one.chunk_id]


def test_a_replacement_has_returned_when_a_search_sees_it(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    store = store_of(lagging)
    store.upsert(namespace, [record(document, 0)])
    lagging.staleness.searches = 4
    newer = record(document, 0)

    store.upsert(namespace, [newer])

    assert found(store, namespace) == [newer.chunk_id]


def test_a_write_that_is_not_seen_in_time_is_kept_all_the_same(
    lagging: PineconeServer, caplog: pytest.LogCaptureFixture
) -> None:
    lagging.staleness.searches = NEVER
    namespace, one = new_namespace(), record(uuid4(), 0)

    with caplog.at_level(logging.WARNING):
        store_of(lagging, visible_seconds=0.1).upsert(namespace, [one])

    assert [r.message for r in caplog.records if r.name == logger.name] == ["vectors not visible yet"]
    lagging.staleness.seconds = 0
    assert found(store_of(lagging), namespace) == [one.chunk_id]


def test_a_deletion_has_returned_when_no_read_sees_the_vectors(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    store = store_of(lagging)
    store.upsert(namespace, records(document, 3))
    lagging.staleness.searches, lagging.staleness.listings = 3, 5

    assert store.delete_document(namespace, document) == 3
    assert store.count(namespace, document) == 0
    assert found(store, namespace) == []


def test_vectors_that_come_to_light_during_their_deletion_are_deleted_as_well(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    lagging.staleness.searches, lagging.staleness.listings = 3, 6
    # Given another process's write that this one's reads do not show yet
    store_of(lagging, visible_seconds=0).upsert(namespace, records(document, 3))

    # When, Then
    store = store_of(lagging)
    assert store.delete_document(namespace, document) == 3
    assert found(store, namespace) == []
    # A listing that lags behind the search shows them once more: too many for a while, never too few.
    wait_for(lambda: store.count(namespace, document) == 0, what="listings to see the deletion")


def test_a_deletion_that_may_have_missed_something_is_no_deletion(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    store_of(lagging).upsert(namespace, [record(uuid4(), 0)])
    # Given a write of another process that nothing shows, now or soon
    lagging.staleness.searches = lagging.staleness.listings = NEVER
    store_of(lagging, visible_seconds=0).upsert(namespace, records(document, 3))
    hurried = store_of(lagging, visible_seconds=0.1)
    assert hurried.count(namespace, document) == 0

    # Then
    with pytest.raises(UnavailableError):
        hurried.delete_document(namespace, document)

    # And when it has come to light, the next try finds it
    lagging.staleness.seconds = 0
    assert hurried.delete_document(namespace, document) == 3
    assert hurried.count(namespace, document) == 0


def test_a_namespace_that_tells_no_position_is_watched_for_the_whole_time(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    # Given the first write of a namespace, of which nothing is seen yet
    lagging.staleness.searches = lagging.staleness.listings = 5
    store_of(lagging, visible_seconds=0).upsert(namespace, records(document, 3))

    # Then it is not taken for empty
    assert store_of(lagging).delete_document(namespace, document) == 3

    # And where it stays unknown, that is no error for ever
    lagging.staleness.searches = lagging.staleness.listings = NEVER
    unseen = new_namespace()
    store_of(lagging, visible_seconds=0).upsert(unseen, records(document, 3))
    assert store_of(lagging).delete_document(unseen, document) == 0


def test_a_deletion_that_is_not_seen_in_time_is_tried_again(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    hurried = store_of(lagging, visible_seconds=0.1)
    hurried.upsert(namespace, records(document, 3))
    lagging.staleness.searches = lagging.staleness.listings = NEVER

    with pytest.raises(UnavailableError):
        hurried.delete_document(namespace, document)
    assert hurried.count(namespace, document) == 3

    lagging.staleness.seconds = 0
    hurried.delete_document(namespace, document)
    assert hurried.count(namespace, document) == 0


def test_a_namespace_is_deleted_when_no_read_sees_a_vector(lagging: PineconeServer) -> None:
    namespace = new_namespace()
    hurried = store_of(lagging, visible_seconds=0.1)
    hurried.upsert(namespace, records(uuid4(), 4))
    lagging.staleness.searches = lagging.staleness.listings = 3
    assert store_of(lagging).delete_namespace(namespace) == 4
    assert store_of(lagging).count(namespace) == 0

    lagging.staleness.searches = lagging.staleness.listings = 0
    hurried.upsert(namespace, records(uuid4(), 2))
    lagging.staleness.searches = lagging.staleness.listings = NEVER
    with pytest.raises(UnavailableError):
        hurried.delete_namespace(namespace)

    # The try after it deletes nothing more, and says what went.
    lagging.staleness.seconds = 0
    assert hurried.delete_namespace(namespace) == 0
    assert hurried.count(namespace) == 0


def test_generations_that_are_kept_outlive_every_look(lagging: PineconeServer) -> None:
    namespace, document = new_namespace(), uuid4()
    lagging.staleness.searches, lagging.staleness.listings = 2, 4
    store = store_of(lagging)
    kept = records(document, 3, generation=12)
    newer = records(document, 2, generation=20)
    store.upsert(namespace, records(document, 2, generation=1) + kept + newer)

    assert store.delete_document(namespace, document, except_generation=12, through_generation=19) == 2
    assert set(found(store, namespace)) == {one.chunk_id for one in kept + newer}


def test_a_lag_in_real_time_is_waited_out(lagging: PineconeServer) -> None:
    vars(lagging.staleness).update(vars(Staleness.lasting(0.1)))
    namespace, one = new_namespace(), record(uuid4(), 0)
    store = PineconeVectorStore(pinecone_settings(lagging, DIMENSIONS))

    store.upsert(namespace, [one])
    assert found(store, namespace) == [one.chunk_id]
    assert store.delete_document(namespace, one.document_id) == 1
    assert found(store, namespace) == []


def test_without_positions_what_was_written_is_looked_for(lagging: PineconeServer) -> None:
    lagging.staleness.positions = False
    lagging.staleness.searches, lagging.staleness.listings = 3, 5
    namespace, document = new_namespace(), uuid4()
    store = store_of(lagging)
    one, other = record(document, 0), record(document, 1)

    store.upsert(namespace, [one, other])
    assert found(store, namespace) == [one.chunk_id, other.chunk_id]
    assert store.delete_document(namespace, document) == 2
    assert found(store, namespace) == []


# ------------------------------------------------------------------------------------------------- content


def test_what_is_stored_names_its_owner(pinecone: PineconeServer, pinecone_store: PineconeVectorStore) -> None:
    namespace, one = new_namespace(), record(uuid4(), 7, generation=3)
    pinecone_store.upsert(namespace, [one])

    (sent,) = [request for request in pinecone.requests if request.path == "/vectors/upsert"]
    assert sent.body["namespace"] == f"{namespace.organization_id}.{namespace.bot_id}"
    (vector,) = sent.body["vectors"]
    assert vector["id"] == f"{one.document_id}:3:7"
    assert vector["metadata"] == {
        "organization_id": str(namespace.organization_id),
        "bot_id": str(namespace.bot_id),
        "document_id": str(one.document_id),
        "generation": 3,
        "chunk_id": str(one.chunk_id),
    }
    assert json.dumps(vector["values"]) == "[1.0, 0.0, 0.0]"


def found(store: PineconeVectorStore, namespace: Namespace) -> list[UUID]:
    return [match.chunk_id for match in store.query(namespace, [1.0, 0.0, 0.0], limit=100)]


def test_a_list_that_never_goes_on_is_not_read_for_ever(pinecone: PineconeServer) -> None:
    class Endless(PineconeIndex):
        def call(self, *_: object, **__: object) -> Reply:
            return Reply(200, {}, {"matches": [], "vectors": [], "pagination": {"next": "again"}})

    reader = PineconeReader(Endless(pinecone_settings(pinecone, DIMENSIONS)), DIMENSIONS)
    with pytest.raises(UnavailableError):
        reader.look("namespace", uuid4())
