"""Servers of the vendors, one of each for the tests of a file; each test has a namespace of its own."""

from collections.abc import Iterator

import pytest

from chatsphere.adapters.pinecone.store import PineconeVectorStore
from tests.loopback.pinecone_server import PineconeServer, pinecone_settings, running_pinecone, store_in_virtual_time
from tests.loopback.qdrant_server import running_qdrant
from tests.loopback.scripted_http import LoopbackServer
from tests.unit.vector_stores.building import DIMENSIONS


@pytest.fixture
def pinecone() -> Iterator[PineconeServer]:
    """A Pinecone with one index of three dimensions."""
    with running_pinecone() as server:
        server.create_index("chatsphere", DIMENSIONS)
        yield server


@pytest.fixture
def pinecone_store(pinecone: PineconeServer) -> PineconeVectorStore:
    """A store of that index."""
    return store_in_virtual_time(pinecone_settings(pinecone, DIMENSIONS))


@pytest.fixture
def qdrant() -> Iterator[LoopbackServer]:
    """An empty Qdrant."""
    with running_qdrant() as server:
        yield server
