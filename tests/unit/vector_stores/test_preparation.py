"""What a start or a deployment makes at the vector store before its first use."""

from chatsphere.bootstrap import Container
from tests.loopback.pinecone_server import API_KEY as PINECONE_KEY
from tests.loopback.pinecone_server import running_pinecone
from tests.loopback.qdrant_server import API_KEY as QDRANT_KEY
from tests.loopback.qdrant_server import running_qdrant


def test_the_index_is_made_once() -> None:
    with running_pinecone() as pinecone:
        environment = {
            "VECTOR_STORE": "pinecone",
            "PINECONE_API_KEY": PINECONE_KEY,
            "PINECONE_CONTROL_URL": pinecone.url,
            "VECTOR_DIMENSIONS": "384",
        }
        for _ in range(2):
            Container(environment).prepare_vector_store()

        assert [(name, index.data.dimension) for name, index in pinecone.indexes.items()] == [("chatsphere", 384)]


def test_the_collection_is_made_once() -> None:
    with running_qdrant() as qdrant:
        environment = {"VECTOR_STORE": "qdrant", "QDRANT_API_KEY": QDRANT_KEY, "QDRANT_URL": qdrant.url}
        for _ in range(2):
            Container(environment).prepare_vector_store()

        made = [request for request in qdrant.requests if request.method == "PUT" and request.path.count("/") == 2]
        assert [request.path for request in made] == ["/collections/chatsphere"]


def test_what_lies_in_the_database_needs_nothing() -> None:
    Container({}).prepare_vector_store()
