"""What is asked between a question and its answer waits less long for a vendor than other calls do."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from chatsphere.adapters.gemini.embedder import GeminiEmbedder
from chatsphere.adapters.pinecone.store import PineconeVectorStore
from chatsphere.adapters.qdrant.store import QdrantVectorStore
from chatsphere.errors import ProviderOverloadedError
from chatsphere.ports.vectors import Namespace
from chatsphere.settings import EmbeddingSettings, VectorStoreSettings
from tests.unit.providers.scripted_server import ScriptedServer, answers

NAMESPACE = Namespace(uuid4(), uuid4())


def embed(url: str) -> object:
    settings = {"embedder": "gemini", "gemini_api_key": " k\n", "gemini_url": url}
    return GeminiEmbedder(EmbeddingSettings.model_validate(settings)).embed_query("When does it open?")


def look_up_index(url: str) -> object:
    settings = {"vector_store": "pinecone", "pinecone_api_key": "k\n", "pinecone_control_url": url}
    return PineconeVectorStore(VectorStoreSettings.model_validate(settings)).query(NAMESPACE, [1.0] * 768, limit=1)


def search_pinecone(url: str) -> object:
    settings = {"vector_store": "pinecone", "pinecone_api_key": "k\n", "pinecone_host": url}
    return PineconeVectorStore(VectorStoreSettings.model_validate(settings)).query(NAMESPACE, [1.0] * 768, limit=1)


def search_qdrant(url: str) -> object:
    settings = {"vector_store": "qdrant", "qdrant_api_key": "k\n", "qdrant_url": url}
    return QdrantVectorStore(VectorStoreSettings.model_validate(settings)).query(NAMESPACE, [1.0] * 768, limit=1)


@pytest.mark.parametrize("ask", [embed, look_up_index, search_pinecone, search_qdrant])
def test_a_vendor_that_asks_for_a_long_pause_is_not_asked_again(
    server: ScriptedServer, ask: Callable[[str], object]
) -> None:
    server.script = [answers(429, retry_after="11")]

    with pytest.raises(ProviderOverloadedError):
        ask(server.url)

    assert len(server.requests) == 1
    # The line break that files put after a key is not part of it.
    assert b"key: k\r\n" in server.requests[0].lower()
