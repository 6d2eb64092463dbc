"""Both vector stores when the vendor fails: right in the end, or a clear error in time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import pytest

from chatsphere.adapters.qdrant.store import QdrantVectorStore
from chatsphere.errors import ProviderOverloadedError, UnavailableError
from chatsphere.ports.vectors import VectorStore
from tests.loopback.pinecone_server import PineconeServer, pinecone_settings, store_in_virtual_time
from tests.loopback.qdrant_server import qdrant_settings
from tests.loopback.scripted_http import Fault, Faults, LoopbackServer, Request
from tests.unit.vector_stores.building import DIMENSIONS, new_namespace, record, records

CARRIED_OUT_OR_NOT = [Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.LOST, Fault.CUT]
SHORT = {"provider_read_seconds": 0.05, "provider_total_seconds": 0.15, "provider_attempts": 2}


@dataclass(frozen=True)
class Vendor:
    """A server and how to make a store that uses it."""

    faults: Faults
    requests: list[Request]
    make: Callable[..., VectorStore]


@pytest.fixture
def pinecone_vendor(pinecone: PineconeServer) -> Vendor:
    def make(**changes: Any) -> VectorStore:
        return store_in_virtual_time(pinecone_settings(pinecone, DIMENSIONS, pinecone_host=pinecone.url, **changes))

    return Vendor(pinecone.faults, pinecone.requests, make)


@pytest.fixture
def qdrant_vendor(qdrant: LoopbackServer) -> Vendor:
    return Vendor(
        qdrant.faults,
        qdrant.requests,
        lambda **changes: QdrantVectorStore(qdrant_settings(qdrant, DIMENSIONS, **changes)),
    )


@pytest.fixture(params=["pinecone", "qdrant"])
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return cast("Vendor", request.getfixturevalue(f"{request.param}_vendor"))


@pytest.mark.parametrize("fault", CARRIED_OUT_OR_NOT)
def test_every_third_call_that_fails_changes_no_result(vendor: Vendor, fault: Fault) -> None:
    store = vendor.make()
    namespace, first, second = new_namespace(), uuid4(), uuid4()
    vendor.faults.every(3, fault)

    kept = records(second, 3, generation=2)
    store.upsert(namespace, records(first, 5))
    store.upsert(namespace, records(second, 4) + kept)

    assert len(store.query(namespace, [1.0, 0.0, 0.0], limit=100)) == 12
    assert store.delete_document(namespace, first) == 5
    assert store.delete_document(namespace, second, except_generation=2) == 4
    nearest = store.query(namespace, [1.0, 0.0, 0.0], limit=2, documents=[first, second])
    assert [match.chunk_id for match in nearest] == [kept[0].chunk_id, kept[1].chunk_id]
    assert store.count(namespace, second) == 3
    assert store.delete_namespace(namespace) == 3
    assert store.count(namespace) == 0


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP, Fault.CUT, Fault.UNAVAILABLE, Fault.MALFORMED])
def test_a_vendor_that_stays_down_is_unavailable(vendor: Vendor, fault: Fault) -> None:
    store = vendor.make(**SHORT)
    store.upsert(new_namespace(), [record(uuid4(), 0)])
    vendor.faults.every(1, fault)

    with pytest.raises(UnavailableError):
        store.query(new_namespace(), [1.0, 0.0, 0.0], limit=1)


def test_a_vendor_that_asks_for_patience_is_overloaded(vendor: Vendor) -> None:
    store = vendor.make(**SHORT)
    vendor.faults.every(1, Fault.OVERLOADED)

    with pytest.raises(ProviderOverloadedError):
        store.count(new_namespace())


def test_a_vendor_that_fails_again_and_again_is_left_alone(vendor: Vendor) -> None:
    store = vendor.make(provider_attempts=1, provider_breaker_failures=3, provider_breaker_seconds=300)
    vendor.faults.every(1, Fault.UNAVAILABLE)

    for _ in range(5):
        with pytest.raises(UnavailableError):
            store.count(new_namespace())

    assert len(vendor.requests) == 3


def test_a_write_cut_short_is_made_whole_by_the_next(vendor: Vendor) -> None:
    store = vendor.make(**SHORT)
    namespace, document = new_namespace(), uuid4()
    everything = records(document, 1_500)
    store.upsert(namespace, everything[:1])
    # Two batches or more: the first is carried out, all after it fail.
    vendor.faults.queue_after(1, *[Fault.UNAVAILABLE] * 2)

    with pytest.raises(UnavailableError):
        vendor.make(provider_attempts=2).upsert(namespace, everything)
    vendor.make().upsert(namespace, everything)

    assert vendor.make().count(namespace, document) == 1_500


def test_a_vendors_words_reach_nobody(vendor: Vendor) -> None:
    store = vendor.make(**SHORT)
    vendor.faults.every(1, Fault.UNAVAILABLE)

    with pytest.raises(UnavailableError) as error:
        store.count(new_namespace())

    assert "Service unavailable" not in error.value.detail
    assert "test-only" not in error.value.detail
