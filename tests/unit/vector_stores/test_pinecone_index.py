"""Finding and making a Pinecone index."""

from uuid import uuid4

import pytest

from chatsphere.adapters.pinecone.index import ensure_index
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.errors import ConfigurationError, ProviderRejectedError, UnavailableError
from tests.loopback.pinecone_server import PineconeServer, VirtualTime, pinecone_settings, running_pinecone
from tests.loopback.scripted_http import Fault
from tests.unit.vector_stores.building import DIMENSIONS, new_namespace, record


def test_the_control_plane_is_asked_once(pinecone: PineconeServer, pinecone_store: PineconeVectorStore) -> None:
    for _ in range(3):
        pinecone_store.query(new_namespace(), [1.0, 0.0, 0.0], limit=1)

    assert [request.path for request in pinecone.requests] == ["/indexes/chatsphere", "/query", "/query", "/query"]


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_known_host_needs_no_control_plane(pinecone: PineconeServer, scheme: str) -> None:
    host = pinecone.url.replace("http://", scheme)
    store = PineconeVectorStore(pinecone_settings(pinecone, DIMENSIONS, pinecone_host=host, provider_attempts=1))

    if scheme:
        assert store.query(new_namespace(), [1.0, 0.0, 0.0], limit=1) == []
        assert [request.path for request in pinecone.requests] == ["/query"]
    else:
        # As Pinecone gives hosts: without a scheme, which means TLS, which this server does not speak.
        with pytest.raises(UnavailableError):
            store.query(new_namespace(), [1.0, 0.0, 0.0], limit=1)
        assert pinecone.requests == []


def test_a_missing_index_is_a_wrong_setting(pinecone: PineconeServer) -> None:
    store = PineconeVectorStore(pinecone_settings(pinecone, DIMENSIONS, pinecone_index="other"))

    with pytest.raises(ConfigurationError, match="PINECONE_INDEX"):
        store.count(new_namespace())


def test_an_address_without_an_index_is_no_empty_index(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore
) -> None:
    namespace = new_namespace()
    pinecone_store.upsert(namespace, [record(uuid4(), 0)])
    pinecone.indexes.clear()

    with pytest.raises(ProviderRejectedError):
        pinecone_store.upsert(namespace, [record(uuid4(), 0)])
    with pytest.raises(ProviderRejectedError):
        pinecone_store.query(namespace, [1.0, 0.0, 0.0], limit=1)
    with pytest.raises(ProviderRejectedError):
        pinecone_store.delete_namespace(namespace)


def test_an_index_of_another_dimension_is_a_wrong_setting(pinecone: PineconeServer) -> None:
    found = PineconeVectorStore(pinecone_settings(pinecone, 8))
    given = PineconeVectorStore(pinecone_settings(pinecone, 8, pinecone_host=pinecone.url))

    for store in (found, given):
        with pytest.raises(ConfigurationError, match=r"VECTOR_DIMENSIONS.* 3 .* 8"):
            store.query(new_namespace(), [1.0] * 8, limit=1)


def test_vectors_of_another_dimension_are_not_sent(
    pinecone: PineconeServer, pinecone_store: PineconeVectorStore
) -> None:
    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        pinecone_store.upsert(new_namespace(), [record(uuid4(), 0, [1.0] * 8)])
    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        pinecone_store.query(new_namespace(), [1.0] * 8, limit=1)

    assert pinecone.requests == []


def test_a_wrong_key_is_a_rejection(pinecone: PineconeServer) -> None:
    settings = pinecone_settings(pinecone, DIMENSIONS).model_copy(update={"pinecone_api_key": "wrong"})
    given = settings.model_copy(update={"pinecone_host": pinecone.url})

    for chosen in (settings, given):
        with pytest.raises(ProviderRejectedError, match="key") as error:
            PineconeVectorStore(chosen).query(new_namespace(), [1.0, 0.0, 0.0], limit=1)
        assert "wrong" not in str(error.value)


def test_an_index_is_made_and_waited_for() -> None:
    waiting = VirtualTime()
    with running_pinecone() as pinecone:
        pinecone.initializing = 3
        settings = pinecone_settings(pinecone, 768)

        host = ensure_index(settings, DIMENSIONS, sleep=waiting.sleep, monotonic=waiting.monotonic)

        assert host == pinecone.url
        assert waiting.now > 0
        # The store takes an index of its dimension and metric only.
        assert PineconeVectorStore(pinecone_settings(pinecone, DIMENSIONS)).count(new_namespace()) == 0


def test_making_an_index_again_changes_nothing(pinecone: PineconeServer) -> None:
    settings = pinecone_settings(pinecone, DIMENSIONS)

    assert ensure_index(settings, DIMENSIONS) == ensure_index(settings, DIMENSIONS) == pinecone.url
    assert {request.method for request in pinecone.requests} == {"GET"}


def test_an_index_made_by_another_meanwhile_is_taken() -> None:
    with running_pinecone() as pinecone:
        # The first call is carried out and its answer lost: the second finds that the index exists.
        pinecone.faults.queue_after(1, Fault.LOST)

        assert ensure_index(pinecone_settings(pinecone, DIMENSIONS), DIMENSIONS) == pinecone.url
        assert [request.method for request in pinecone.requests].count("POST") == 2


def test_an_index_that_does_not_fit_is_left_alone(pinecone: PineconeServer) -> None:
    pinecone.create_index("dot", DIMENSIONS, metric="dotproduct")

    with pytest.raises(ConfigurationError, match="VECTOR_DIMENSIONS"):
        ensure_index(pinecone_settings(pinecone, DIMENSIONS), 768)
    with pytest.raises(ConfigurationError, match="cosine"):
        ensure_index(pinecone_settings(pinecone, DIMENSIONS, pinecone_index="dot"), DIMENSIONS)
    assert {request.method for request in pinecone.requests} == {"GET"}


def test_an_index_that_never_gets_ready_is_not_waited_for_for_ever() -> None:
    waiting = VirtualTime()
    with running_pinecone() as pinecone:
        pinecone.initializing = 1_000

        with pytest.raises(UnavailableError, match="chatsphere"):
            ensure_index(
                pinecone_settings(pinecone, DIMENSIONS),
                DIMENSIONS,
                timeout_seconds=10,
                sleep=waiting.sleep,
                monotonic=waiting.monotonic,
            )


def test_a_control_plane_that_is_down_is_left_alone(pinecone: PineconeServer) -> None:
    pinecone.faults.every(1, Fault.UNAVAILABLE)
    limits = {"provider_attempts": 1, "provider_breaker_failures": 3, "provider_breaker_seconds": 300}
    store = PineconeVectorStore(pinecone_settings(pinecone, DIMENSIONS, **limits))

    for _ in range(5):
        with pytest.raises(UnavailableError):
            store.count(new_namespace())

    assert len(pinecone.requests) == 3
