"""Ingestion when vectors are seen only a while after they are written: nothing is lost, nothing called gone early."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatsphere.knowledge.ingestion.messages import PurgeMessage
from tests.fakes import FakeEmbedder
from tests.integration.ingestion.pipeline import Pipeline
from tests.loopback.pinecone_server import PineconeServer, pinecone_settings, running_pinecone, store_in_virtual_time
from tests.loopback.pinecone_state import NEVER, Staleness

DIMENSIONS = FakeEmbedder().dimensions


@pytest.fixture
def pinecone() -> Iterator[PineconeServer]:
    """A Pinecone that lags a little: less than the store waits for."""
    with running_pinecone(Staleness(searches=2, listings=3)) as server:
        server.create_index("chatsphere", DIMENSIONS)
        yield server


@pytest.fixture
def pipeline(make_pipeline: Callable[[], Pipeline], pinecone: PineconeServer) -> Pipeline:
    pipeline = make_pipeline()
    pipeline.vectors = store_in_virtual_time(pinecone_settings(pinecone, DIMENSIONS))
    return pipeline


def stop_seeing(pinecone: PineconeServer) -> None:
    """From now on, no read sees a write."""
    pinecone.staleness.searches = pinecone.staleness.listings = NEVER


def see_again(pinecone: PineconeServer) -> None:
    """From now on, all reads see all writes."""
    pinecone.staleness.seconds = 0


def ready(pipeline: Pipeline, name: str = "a.txt", text: str = "One.\nTwo.") -> Any:
    pipeline.drop(name, text)
    pipeline.run()
    return next(document["id"] for document in pipeline.documents() if document["name"] == name)


def delete(pipeline: Pipeline, document_id: Any) -> None:
    message = PurgeMessage(
        organization_id=pipeline.tenant.organization_id, bot_id=pipeline.tenant.bot_id, document_id=document_id
    )
    pipeline.eraser.delete(message, pipeline.purge_queue)


def written(pipeline: Pipeline, pinecone: PineconeServer) -> set[str]:
    """Return the ids that the store holds, whatever its reads show."""
    name = f"{pipeline.tenant.organization_id}.{pipeline.tenant.bot_id}"
    return pinecone.indexes["chatsphere"].data.written(name)


def found(pipeline: Pipeline) -> int:
    vector = pipeline.embedder.embed_query("One.")
    return len(pipeline.vectors.query(pipeline.namespace, vector, limit=100))


def test_a_document_that_is_ready_can_be_found(pipeline: Pipeline) -> None:
    ready(pipeline)

    assert (pipeline.document()["status"], found(pipeline)) == ("ready", 2)


def test_a_document_gets_ready_even_if_reads_do_not_see_it_in_time(
    pipeline: Pipeline, pinecone: PineconeServer
) -> None:
    stop_seeing(pinecone)
    ready(pipeline)
    # Its words find it meanwhile, and it was embedded once.
    assert (pipeline.document()["status"], pipeline.indexed()) == ("ready", ["One.", "Two."])
    assert len(pipeline.embedder.texts) == 2

    see_again(pinecone)
    assert found(pipeline) == 2


def test_a_deleted_document_is_gone_at_once(pipeline: Pipeline, pinecone: PineconeServer) -> None:
    document_id = ready(pipeline)

    delete(pipeline, document_id)

    assert (pipeline.documents(), written(pipeline, pinecone), found(pipeline)) == ([], set(), 0)


def test_a_deletion_that_reads_do_not_see_ends_when_they_do(pipeline: Pipeline, pinecone: PineconeServer) -> None:
    # Given
    document_id = ready(pipeline)
    stop_seeing(pinecone)
    # When
    delete(pipeline, document_id)
    pipeline.settle()
    # Then there is no receipt yet: it is hidden, and is still being deleted
    assert pipeline.document()["status"] == "deleting"
    assert pipeline.chunks() == []
    # And later
    see_again(pinecone)
    pipeline.settle()
    assert (pipeline.documents(), written(pipeline, pinecone), found(pipeline)) == ([], set(), 0)


def test_a_deletion_misses_no_write_that_reads_do_not_see_yet(pipeline: Pipeline, pinecone: PineconeServer) -> None:
    # Given a document that is deleted just after another process has written its vectors
    kept = ready(pipeline, "b.txt", "Three.")
    upsert = pipeline.vectors.upsert

    def upsert_then_delete(*arguments: Any) -> None:
        upsert(*arguments)
        for document in pipeline.documents():
            if document["name"] == "a.txt" and document["status"] != "deleting":
                delete(pipeline, document["id"])

    pipeline.vectors.upsert = upsert_then_delete
    pipeline.drop("a.txt", "One.\nTwo.")
    stop_seeing(pinecone)
    # When
    pipeline.run()
    # Then nobody says yet that it is gone
    assert [document["status"] for document in pipeline.documents()] == ["ready", "deleting"]
    # And when it is said, it is true
    see_again(pinecone)
    pipeline.settle()
    assert [document["id"] for document in pipeline.documents()] == [kept]
    assert written(pipeline, pinecone) == {f"{kept}:1:0"}


def test_former_vectors_that_reads_still_show_are_deleted_later(pipeline: Pipeline, pinecone: PineconeServer) -> None:
    # Given
    document_id = ready(pipeline, text="Old one.\nOld two.")
    stop_seeing(pinecone)
    # When
    ready(pipeline, text="New.")
    # Then readers see the new text, and the cleaning up is not noted as done
    assert (pipeline.document()["status"], pipeline.chunks()) == ("ready", ["New."])
    assert pipeline.document()["vector_cleanup_due"] is not None
    # And later only the new one is left
    see_again(pinecone)
    pipeline.settle()
    assert pipeline.document()["vector_cleanup_due"] is None
    assert written(pipeline, pinecone) == {f"{document_id}:{pipeline.document()['live_generation']}:0"}


def test_a_bot_is_gone_when_its_vectors_are(pipeline: Pipeline, pinecone: PineconeServer) -> None:
    # Given
    ready(pipeline)
    stop_seeing(pinecone)
    with pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = 'deleting' WHERE id = %s", (pipeline.tenant.bot_id,))
    # When
    pipeline.settle()
    # Then
    assert pipeline.bot_status() == "deleting"
    # And later
    see_again(pinecone)
    pipeline.settle()
    assert (pipeline.bot_status(), written(pipeline, pinecone), found(pipeline)) == (None, set(), 0)
