"""The loopback Qdrant against the vendor's SDK, the adapter's requests against the SDK's, and the collection."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from chatsphere.adapters.qdrant.collection import ensure_collection
from chatsphere.adapters.qdrant.store import QdrantVectorStore
from chatsphere.errors import ConfigurationError, ProviderRejectedError
from chatsphere.ports.vectors import Namespace
from tests.loopback.qdrant_server import API_KEY, qdrant_settings
from tests.loopback.scripted_http import LoopbackServer, Request
from tests.unit.vector_stores.building import DIMENSIONS, new_namespace, record

pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")

COLLECTION = "chatsphere"


@pytest.fixture
def client(qdrant: LoopbackServer) -> Iterator[QdrantClient]:
    client = QdrantClient(url=qdrant.url, api_key=API_KEY, check_compatibility=False)
    yield client
    client.close()


@pytest.fixture
def store(qdrant: LoopbackServer) -> QdrantVectorStore:
    return QdrantVectorStore(qdrant_settings(qdrant, DIMENSIONS))


def test_the_sdk_drives_the_server(client: QdrantClient) -> None:
    _create(client)
    points = [models.PointStruct(id=str(uuid4()), vector=[1.0, n, 0.0], payload={"n": n}) for n in range(3)]
    client.upsert(COLLECTION, points, wait=True)
    some = models.Filter(must_not=[models.FieldCondition(key="n", match=models.MatchValue(value=0))])

    found = client.query_points(COLLECTION, query=[1.0, 0.0, 0.0], query_filter=some, limit=5, with_payload=["n"])
    assert [point.payload for point in found.points] == [{"n": 1}, {"n": 2}]
    assert found.points[0].score == pytest.approx(0.7071, abs=1e-4)
    client.delete(COLLECTION, points_selector=models.FilterSelector(filter=some), wait=True)
    assert client.count(COLLECTION, exact=True).count == 1
    with pytest.raises(UnexpectedResponse, match="404"):
        client.count("other")
    with pytest.raises(UnexpectedResponse, match="400"):
        client.upsert(COLLECTION, [models.PointStruct(id=1, vector=[1.0])])
    with pytest.raises(UnexpectedResponse, match="409"):
        _create(client)


def test_the_adapter_sends_what_the_sdk_sends(
    qdrant: LoopbackServer, client: QdrantClient, store: QdrantVectorStore
) -> None:
    namespace, document = new_namespace(), uuid4()
    one = record(document, 0)

    ours = _sent(qdrant, lambda: ensure_collection(qdrant_settings(qdrant, DIMENSIONS)))
    theirs = _sent(qdrant, lambda: _set_up_indexes(client))
    # The adapter asks first whether there is a collection, and afterwards what it is like.
    assert [request.method for request in ours[:3]] == ["GET", "PUT", "GET"]
    assert _shapes(ours[3:]) == _shapes(theirs)

    ours = _sent(qdrant, lambda: store.upsert(namespace, [one]))
    (point,) = ours[0].body["points"]
    theirs = _sent(qdrant, lambda: client.upsert(COLLECTION, [models.PointStruct(**point)], wait=True))
    assert _shapes(ours) == _shapes(theirs)

    ours = _sent(qdrant, lambda: store.query(namespace, [1.0, 0.0, 0.0], limit=7, documents=[document]))
    only = models.FieldCondition(key="document_id", match=models.MatchAny(any=[str(document)]))
    theirs = _sent(
        qdrant,
        lambda: client.query_points(
            COLLECTION,
            query=[1.0, 0.0, 0.0],
            query_filter=models.Filter(must=[_tenant(namespace), only]),
            limit=7,
            with_payload=["chunk_id", "document_id"],
        ),
    )
    assert _shapes(ours) == _shapes(theirs)

    ours = _sent(qdrant, lambda: store.delete_document(namespace, document, except_generation=2, through_generation=3))
    newest = models.FieldCondition(key="generation", range=models.Range(lte=3))
    condition = models.Filter(
        must=[_tenant(namespace), _document(document), newest],
        must_not=[models.FieldCondition(key="generation", match=models.MatchValue(value=2))],
    )
    theirs = _sent(qdrant, lambda: client.count(COLLECTION, count_filter=condition, exact=True))
    theirs += _sent(qdrant, lambda: client.delete(COLLECTION, models.FilterSelector(filter=condition), wait=True))
    assert _shapes(ours) == _shapes(theirs)


def test_the_collection_is_made_as_the_sdk_makes_it(
    qdrant: LoopbackServer, client: QdrantClient, store: QdrantVectorStore
) -> None:
    ours = _sent(qdrant, lambda: store.upsert(new_namespace(), [record(uuid4(), 0)]))
    made = [request for request in ours if request.method == "PUT" and request.path == f"/collections/{COLLECTION}"]

    with pytest.raises(UnexpectedResponse, match="409"):
        _create(client)
    assert _shapes(made) == _shapes(qdrant.requests[-1:])
    schema = client.get_collection(COLLECTION).payload_schema
    assert {field: index.data_type for field, index in schema.items()} == {
        "namespace": "keyword",
        "document_id": "keyword",
        "generation": "integer",
    }
    assert isinstance(schema["namespace"].params, models.KeywordIndexParams)
    assert schema["namespace"].params.is_tenant


def test_making_the_collection_again_changes_nothing(qdrant: LoopbackServer, store: QdrantVectorStore) -> None:
    namespace = new_namespace()
    store.upsert(namespace, [record(uuid4(), 0)])

    ensure_collection(qdrant_settings(qdrant, DIMENSIONS))

    assert store.count(namespace) == 1


def test_a_collection_of_another_dimension_is_a_wrong_setting(qdrant: LoopbackServer, store: QdrantVectorStore) -> None:
    store.upsert(new_namespace(), [record(uuid4(), 0)])
    wider = QdrantVectorStore(qdrant_settings(qdrant, 8))

    with pytest.raises(ConfigurationError, match=r"VECTOR_DIMENSIONS.* 3 .* 8"):
        wider.upsert(new_namespace(), [record(uuid4(), 0, [1.0] * 8)])
    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        ensure_collection(qdrant_settings(qdrant, 8))
    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        store.upsert(new_namespace(), [record(uuid4(), 0, [1.0] * 8)])
    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        store.query(new_namespace(), [1.0] * 8, limit=1)


def test_an_address_without_qdrant_is_no_empty_collection(qdrant: LoopbackServer) -> None:
    settings = qdrant_settings(qdrant, DIMENSIONS).model_copy(update={"qdrant_url": f"{qdrant.url}/elsewhere"})

    with pytest.raises(ProviderRejectedError):
        QdrantVectorStore(settings).count(new_namespace())
    with pytest.raises(ProviderRejectedError):
        QdrantVectorStore(settings).upsert(new_namespace(), [record(uuid4(), 0)])


def test_a_wrong_key_is_a_rejection(qdrant: LoopbackServer) -> None:
    settings = qdrant_settings(qdrant, DIMENSIONS).model_copy(update={"qdrant_api_key": "wrong"})

    with pytest.raises(ProviderRejectedError):
        QdrantVectorStore(settings).count(new_namespace())


def _create(client: QdrantClient) -> None:
    client.create_collection(
        COLLECTION,
        vectors_config=models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE),
        hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
    )


def _set_up_indexes(client: QdrantClient) -> None:
    tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    client.create_payload_index(COLLECTION, "namespace", field_schema=tenant, wait=True)
    client.create_payload_index(COLLECTION, "document_id", field_schema=models.PayloadSchemaType.KEYWORD, wait=True)
    client.create_payload_index(COLLECTION, "generation", field_schema=models.PayloadSchemaType.INTEGER, wait=True)


def _tenant(namespace: Namespace) -> models.FieldCondition:
    name = f"{namespace.organization_id}.{namespace.bot_id}"
    return models.FieldCondition(key="namespace", match=models.MatchValue(value=name))


def _document(document: UUID) -> models.FieldCondition:
    return models.FieldCondition(key="document_id", match=models.MatchValue(value=str(document)))


def _sent(qdrant: LoopbackServer, action: Callable[[], Any]) -> list[Request]:
    """Return what the action sends."""
    qdrant.requests.clear()
    action()
    return list(qdrant.requests)


def _shapes(requests: list[Request]) -> list[tuple[Any, ...]]:
    """Return all of the requests that the vendor reads."""
    return [
        (request.method, request.path, request.repeated, request.body, request.headers["api-key"])
        for request in requests
    ]
