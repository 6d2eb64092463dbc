"""The loopback Pinecone against the vendor's SDK, and the adapter's requests against the SDK's."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from pinecone import Pinecone, ServerlessSpec
from pinecone.errors import ApiError, ForbiddenError, NotFoundError, UnauthorizedError
from pinecone.index import Index

from chatsphere.adapters.pinecone.index import ensure_index
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from tests.loopback.pinecone_server import API_KEY, PineconeServer, pinecone_settings, running_pinecone
from tests.loopback.pinecone_state import Staleness
from tests.loopback.scripted_http import Request
from tests.unit.vector_stores.building import DIMENSIONS, new_namespace, record

RECORDINGS = json.loads(Path(__file__).with_name("pinecone_recordings.json").read_text())


@pytest.fixture
def client(pinecone: PineconeServer) -> Pinecone:
    return Pinecone(api_key=API_KEY, host=pinecone.url)


@pytest.fixture
def index(pinecone: PineconeServer, client: Pinecone) -> Iterator[Index]:
    with client.index(host=pinecone.url) as index:
        yield index


def test_the_sdk_makes_an_index_and_sees_it_get_ready() -> None:
    with running_pinecone() as pinecone:
        pinecone.initializing = 1
        client = Pinecone(api_key=API_KEY, host=pinecone.url)
        region = ServerlessSpec(cloud="aws", region="us-east-1")

        # A timeout of -1 means not to wait; the SDK would look every five seconds.
        made = client.indexes.create(name="new", dimension=8, metric="cosine", spec=region, timeout=-1)
        described = [client.indexes.describe("new") for _ in range(2)]

        assert [(index.status.ready, index.host) for index in (made, *described)] == [
            (False, None),
            (False, None),
            (True, pinecone.url),
        ]
        assert (made.dimension, made.metric) == (8, "cosine")
        assert [index.name for index in client.indexes.list()] == ["new"]
        client.indexes.delete("new")
        with pytest.raises(NotFoundError):
            client.indexes.describe("new")


def test_the_sdk_writes_and_reads_vectors(index: Index) -> None:
    vectors = [(f"d1:{n}", [1.0, n, 0.0], {"document_id": "d1", "n": n}) for n in range(3)]

    written = index.upsert(vectors=vectors, namespace="one")
    found = index.query(
        vector=[1.0, 0.0, 0.0], top_k=2, namespace="one", filter={"n": {"$ne": 0}}, include_metadata=True
    )

    assert written.upserted_count == 3
    assert [(match.id, match.metadata) for match in found.matches] == [
        ("d1:1", {"document_id": "d1", "n": 1}),
        ("d1:2", {"document_id": "d1", "n": 2}),
    ]
    assert found.matches[0].score == pytest.approx(0.7071, abs=1e-4)
    assert index.fetch(ids=["d1:0", "d1:2"], namespace="one").vectors["d1:2"].values == [1.0, 2.0, 0.0]


def test_the_sdk_pages_through_ids(pinecone: PineconeServer, index: Index) -> None:
    index.upsert(vectors=[(f"d1:{n}", [1.0, n, 0.0]) for n in range(5)] + [("d2:0", [1, 0, 0])], namespace="one")
    pinecone.indexes["chatsphere"].data.page = 2

    pages = [[item.id for item in page.vectors] for page in index.list(prefix="d1:", namespace="one")]

    assert pages == [["d1:0", "d1:1"], ["d1:2", "d1:3"], ["d1:4"]]


def test_the_sdk_counts_and_deletes(index: Index) -> None:
    index.upsert(vectors=[(f"d{n}:0", [1.0, n, 0.0], {"document_id": f"d{n}"}) for n in range(4)], namespace="one")

    index.delete(ids=["d0:0", "missing"], namespace="one")
    index.delete(filter={"document_id": {"$in": ["d1"]}}, namespace="one")
    assert index.describe_namespace(name="one").record_count == 2
    assert index.describe_index_stats().namespaces["one"].vector_count == 2
    index.delete(delete_all=True, namespace="one")
    assert index.describe_namespace(name="one").record_count == 0
    index.delete_namespace(name="one")
    with pytest.raises(NotFoundError, match="Namespace not found"):
        index.describe_namespace(name="one")


def test_the_sdk_learns_when_a_write_is_seen() -> None:
    with running_pinecone(Staleness(searches=1, listings=2)) as pinecone:
        pinecone.create_index("chatsphere", DIMENSIONS)
        with Pinecone(api_key=API_KEY, host=pinecone.url).index(host=pinecone.url) as index:
            written = index.upsert(vectors=[("a", [1, 0, 0])], namespace="one")
            assert written.response_info is not None
            position = written.response_info.lsn_committed
            assert position == 1

            early, late = (index.query(vector=[1, 0, 0], top_k=1, namespace="one") for _ in range(2))
            listed = [[item.id for item in index.list_paginated(namespace="one").vectors] for _ in range(3)]

        assert early.matches == []
        assert [match.id for match in late.matches] == ["a"]
        assert late.response_info is not None
        assert late.response_info.is_reconciled(position)
        assert listed == [[], [], ["a"]]


@pytest.mark.parametrize(
    "refused",
    [
        lambda index: index.upsert(vectors=[("a", [1, 0])], namespace="one"),
        lambda index: index.upsert(vectors=[("a", [0, 0, 0])], namespace="one"),
        lambda index: index.upsert(vectors=[{"id": "a", "values": [1, 0, 0], "metadata": {"x": None}}]),
        lambda index: index.upsert(vectors=[("a" * 513, [1, 0, 0])], namespace="one"),
        lambda index: index.query(vector=[1, 0], top_k=1, namespace="one"),
        lambda index: index.query(vector=[1, 0, 0], top_k=1, namespace="one", filter={"x": {"$like": "a"}}),
    ],
    ids=["dimension", "zeros", "null", "long id", "query dimension", "operator"],
)
def test_what_pinecone_refuses_the_sdk_is_refused(index: Index, refused: Callable[[Index], Any]) -> None:
    with pytest.raises(ApiError) as error:
        refused(index)

    assert error.value.status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/vectors/upsert", {"vectors": [{"id": str(n), "values": [1, 0, 0]} for n in range(1_001)]}),
        ("/vectors/upsert", {"vectors": [{"id": "a", "values": [1, 0, 0], "metadata": {"x": "y" * 41_000}}]}),
        ("/vectors/upsert", {"vectors": [{"id": f"{n:040000}", "values": [1, 0, 0]} for n in range(51)]}),
        ("/vectors/upsert", {"vectors": [{"id": "a", "values": [1, 0, 0], "metadata": {"x": {"y": 1}}}]}),
        ("/vectors/upsert", {"vectors": [{"id": "ä", "values": [1, 0, 0]}]}),
        ("/vectors/delete", {"ids": [str(n) for n in range(1_001)]}),
        ("/vectors/delete", {"ids": ["a"], "deleteAll": True}),
        ("/query", {"vector": [1, 0, 0], "topK": 10_001}),
    ],
    ids=["records", "metadata bytes", "bytes", "nested", "non-ascii id", "ids", "two ways", "topK"],
)
def test_limits_that_the_sdk_keeps_by_itself(pinecone: PineconeServer, path: str, body: Any) -> None:
    headers = {"Api-Key": API_KEY, "X-Pinecone-Api-Version": "2026-07"}

    assert urllib3.request("POST", pinecone.url + path, json=body, headers=headers).status == 400


def test_a_wrong_key_is_refused(pinecone: PineconeServer) -> None:
    client = Pinecone(api_key="wrong", host=pinecone.url)

    with pytest.raises((UnauthorizedError, ForbiddenError)):
        list(client.indexes.list())
    with client.index(host=pinecone.url) as index, pytest.raises(UnauthorizedError):
        index.query(vector=[1, 0, 0], top_k=1)


@pytest.mark.parametrize("recording", RECORDINGS, ids=[recording["step"] for recording in RECORDINGS])
def test_recorded_requests_are_answered(pinecone: PineconeServer, recording: dict[str, Any]) -> None:
    headers = {"Api-Key": API_KEY, "X-Pinecone-Api-Version": recording["version"]}
    pinecone.create_index("chatsphere" if recording["step"].startswith("create") else "vec", DIMENSIONS)
    filled = {"vectors": [{"id": "d1#1", "values": [1, 0, 0]}]}
    for namespace in ("t1", "t2"):
        body = {**filled, "namespace": namespace}
        urllib3.request("POST", f"{pinecone.url}/vectors/upsert", json=body, headers=headers)

    reply = urllib3.request(
        recording["method"], pinecone.url + recording["path"], json=recording["body"], headers=headers
    )

    assert reply.status in (200, 201)


def test_the_adapter_sends_what_the_sdk_sends(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore, index: Index
) -> None:
    namespace, document = new_namespace(), uuid4()
    name = f"{namespace.organization_id}.{namespace.bot_id}"
    one = record(document, 0)
    metadata = {
        "organization_id": str(namespace.organization_id),
        "bot_id": str(namespace.bot_id),
        "document_id": str(document),
        "generation": 1,
        "chunk_id": str(one.chunk_id),
    }

    ours = _sent(pinecone, lambda: pinecone_store.upsert(namespace, [one]))
    index.upsert(vectors=[{"id": one.id, "values": list(one.values), "metadata": metadata}], namespace=name)
    condition: dict[str, Any] = {"chunk_id": {"$eq": str(one.chunk_id)}}
    index.query(vector=list(one.values), top_k=1, namespace=name, filter=condition)
    # Where the index is, the adapter asks first.
    assert ours[0].path == "/indexes/chatsphere"
    assert _shapes(ours[1:]) == _shapes(_taken(pinecone))

    ours = _sent(pinecone, lambda: pinecone_store.query(namespace, [1.0, 0.0, 0.0], limit=7, documents=[document]))
    index.query(
        vector=[1.0, 0.0, 0.0],
        top_k=7,
        namespace=name,
        filter={"document_id": {"$in": [str(document)]}},
        include_metadata=True,
    )
    assert _shapes(ours) == _shapes(_taken(pinecone))

    def look() -> None:
        condition = {"document_id": {"$eq": str(document)}, "generation": {"$ne": 2, "$lte": 3}}
        index.query(vector=[1.0, 0.0, 0.0], top_k=10_000, namespace=name, filter=condition)
        index.list_paginated(prefix=f"{document}:", limit=100, namespace=name)

    ours = _sent(
        pinecone,
        lambda: pinecone_store.delete_document(namespace, document, except_generation=2, through_generation=3),
    )
    look()
    index.delete(ids=[one.id], namespace=name)
    look()
    assert _shapes(ours) == _shapes(_taken(pinecone))

    ours = _sent(pinecone, lambda: pinecone_store.count(namespace))
    index.describe_namespace(name=name)
    index.query(vector=[1.0, 0.0, 0.0], top_k=10_000, namespace=name)
    assert _shapes(ours) == _shapes(_taken(pinecone))

    ours = _sent(pinecone, lambda: pinecone_store.delete_namespace(namespace))
    with pytest.raises(NotFoundError):
        index.delete_namespace(name=name)
    assert _shapes(_taken(pinecone)) == _shapes([request for request in ours if request.method == "DELETE"])


def test_the_adapter_makes_an_index_as_the_sdk_does() -> None:
    with running_pinecone() as pinecone:
        ours = _sent(pinecone, lambda: ensure_index(pinecone_settings(pinecone, 8), 8))
        pinecone.indexes.clear()
        Pinecone(api_key=API_KEY, host=pinecone.url).indexes.create(
            name="chatsphere", dimension=8, metric="cosine", spec=ServerlessSpec(cloud="aws", region="us-east-1")
        )
        theirs = _taken(pinecone)

    # The adapter looks first whether there is one.
    assert ours[0].method == "GET"
    assert _shapes(ours[1:]) == _shapes(theirs)


def _sent(pinecone: PineconeServer, action: Callable[[], Any]) -> list[Request]:
    """Return what the action sends."""
    _taken(pinecone)
    action()
    return _taken(pinecone)


def _taken(pinecone: PineconeServer) -> list[Request]:
    taken = list(pinecone.requests)
    pinecone.requests.clear()
    return taken


def _shapes(requests: list[Request]) -> list[tuple[Any, ...]]:
    """Return all of the requests that the vendor reads: not the user agent, nor what only concerns the connection."""
    return [
        (
            request.method,
            request.path,
            request.repeated,
            request.body,
            request.headers["x-pinecone-api-version"],
            request.headers["api-key"],
            request.headers.get("content-type") if request.body else None,
        )
        for request in requests
    ]
