"""What is deleted is gone everywhere, at once for readers, and stays gone."""

from collections.abc import Callable
from typing import Any

import pytest

from chatsphere.errors import NotFoundError
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.ingestion.tripwire import run_killed_at, wire


def ready(pipeline: Pipeline, name: str = "a.txt", text: str = "One.\nTwo.") -> Any:
    """Return the id of a document that is ready."""
    pipeline.drop(name, text)
    pipeline.run()
    return next(document["id"] for document in pipeline.documents() if document["name"] == name)


def message(pipeline: Pipeline, document_id: Any = None) -> PurgeMessage:
    return PurgeMessage(
        organization_id=pipeline.tenant.organization_id, bot_id=pipeline.tenant.bot_id, document_id=document_id
    )


def delete(pipeline: Pipeline, document_id: Any) -> None:
    pipeline.eraser.delete(message(pipeline, document_id), pipeline.purge_queue)


def assert_nothing_left(pipeline: Pipeline) -> None:
    assert pipeline.documents() == []
    assert (pipeline.chunks(live=False), pipeline.indexed(), pipeline.vector_ids()) == ([], [], [])
    assert pipeline.objects.count_versions(pipeline.key("")) == 0


def test_a_deleted_document_is_gone_everywhere(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    pipeline.drop("a.txt", "A second version.")
    pipeline.run()
    # When
    delete(pipeline, document_id)
    # Then
    assert_nothing_left(pipeline)
    assert pipeline.bot_status() == "draft"
    # And the notifications that follow find nothing to do
    pipeline.run()
    assert pipeline.documents() == []


def test_other_documents_stay(pipeline: Pipeline) -> None:
    # Given
    first, second = ready(pipeline, "a.txt", "One."), ready(pipeline, "a.txt.bak", "Two.")
    # When
    delete(pipeline, first)
    pipeline.run()
    # Then
    pipeline.assert_ready(["Two."], document_id=second)


def test_what_is_not_there_cannot_be_deleted(make_pipeline: Callable[[], Pipeline]) -> None:
    # Given
    pipeline, other = make_pipeline(), make_pipeline()
    document_id = ready(pipeline)
    # Then
    with pytest.raises(NotFoundError):
        delete(pipeline, pipeline.ids.new())
    with pytest.raises(NotFoundError):
        delete(other, document_id)
    pipeline.assert_ready(["One.", "Two."])


def test_a_deletion_cut_short_is_hidden_at_once_and_finished_later(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    pipeline.vectors.failures = 1
    # When
    delete(pipeline, document_id)
    # Then
    assert pipeline.document()["status"] == "deleting"
    assert pipeline.chunks() == []
    assert [m["document_id"] for m in pipeline.purge_queue.messages] == [str(document_id)]
    with pytest.raises(NotFoundError):
        delete(pipeline, document_id)
    pipeline.run()
    assert_nothing_left(pipeline)


def test_a_deletion_that_nobody_heard_of_is_found_by_the_reaper(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    pipeline.vectors.failures = 1
    pipeline.purge_queue.failures = 1
    delete(pipeline, document_id)
    assert not pipeline.purge_queue.messages
    # When
    pipeline.settle()
    # Then
    assert_nothing_left(pipeline)


def test_an_object_put_during_a_deletion_waits_for_its_end(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    pipeline.vectors.failures = 1
    delete(pipeline, document_id)
    # When
    pipeline.drop("a.txt", "Newer.")
    assert not pipeline.deliver(pipeline.register, pipeline.events[-1])
    # Then
    pipeline.settle()
    assert_nothing_left(pipeline)
    pipeline.drop("a.txt", "Newest.")
    pipeline.run()
    pipeline.assert_ready(["Newest."])


def test_an_object_removed_in_the_bucket_frees_its_name_at_once(pipeline: Pipeline) -> None:
    # Given a removal whose deletion is held up
    ready(pipeline)
    pipeline.objects.remove(pipeline.key("a.txt"))
    pipeline.vectors.failures = 1
    pipeline.run()
    # When
    pipeline.drop("a.txt", "Newer.")
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready(["Newer."])


@pytest.mark.parametrize("stage", ["registered", "extracting", "embedding"])
def test_work_under_way_does_not_bring_a_deleted_document_back(pipeline: Pipeline, stage: str) -> None:
    # Given
    pipeline.drop("a.txt", "One.\nTwo.")
    pipeline.deliver_events()
    document_id = pipeline.document()["id"]
    extraction = pipeline.extract_queue.messages[0]
    read, embed = pipeline.read, pipeline.embedder.embed_documents

    def delete_while_reading(*arguments: Any, **named: Any) -> Any:
        delete(pipeline, document_id)
        return read(*arguments, **named)

    def delete_while_embedding(texts: Any) -> Any:
        delete(pipeline, document_id)
        return embed(texts)

    # When
    if stage == "registered":
        delete(pipeline, document_id)
    if stage == "extracting":
        pipeline.read = delete_while_reading
    if stage == "embedding":
        pipeline.embedder.embed_documents = delete_while_embedding
    pipeline.run()
    pipeline.deliver(pipeline.extract, extraction)
    pipeline.settle()
    # Then
    assert_nothing_left(pipeline)


# ------------------------------------------------------------------------------------------------------ bots


def mark_bot(pipeline: Pipeline) -> None:
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE bots SET status = 'deleting', updated_at = %s WHERE id = %s",
            (pipeline.clock.now(), pipeline.tenant.bot_id),
        )


def converse(pipeline: Pipeline) -> None:
    ids = {"conversation": pipeline.ids.new(), "message": pipeline.ids.new()}
    values = ids | {"organization": pipeline.tenant.organization_id, "bot": pipeline.tenant.bot_id}
    with pipeline.connection() as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id)"
            " VALUES (%(conversation)s, %(organization)s, %(bot)s)",
            values,
        )
        connection.execute(
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " VALUES (%(message)s, %(organization)s, %(bot)s, %(conversation)s, 'user', 'Hi', now())",
            values,
        )


def assert_bot_gone(pipeline: Pipeline) -> None:
    assert pipeline.bot_status() is None
    assert_nothing_left(pipeline)
    with pipeline.connection() as connection:
        for table in ("conversations", "messages", "embedding_batches", "lexical_segments"):
            assert connection.execute(f"SELECT count(*) AS n FROM {table}").fetchone() == {"n": 0}


def prepare_bot(pipeline: Pipeline) -> None:
    ready(pipeline, "a.txt")
    ready(pipeline, "b.txt", "Three.")
    converse(pipeline)
    pipeline.drop("hidden.txt", "Removed before it was seen.")
    pipeline.objects.remove(pipeline.key("hidden.txt"))
    pipeline.events.clear()
    mark_bot(pipeline)


def test_a_deleted_bot_takes_everything_with_it(
    make_pipeline: Callable[[], Pipeline], caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    pipeline, other = make_pipeline(), make_pipeline()
    ready(other)
    prepare_bot(pipeline)
    # When
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    # Then
    assert_bot_gone(pipeline)
    other.assert_ready(["One.", "Two."])
    (receipt,) = [vars(record) for record in caplog.records if record.message == "bot deleted"]
    counts = {name: receipt[name] for name in ("documents", "chunks", "vectors", "objects", "conversations")}
    assert counts == {"documents": 2, "chunks": 3, "vectors": 3, "objects": 3, "conversations": 1}


def test_a_bot_that_is_not_deleted_is_left_alone(pipeline: Pipeline) -> None:
    ready(pipeline)
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    pipeline.assert_ready(["One.", "Two."])


def test_a_document_that_is_not_deleted_is_left_alone(pipeline: Pipeline) -> None:
    document_id = ready(pipeline)
    assert pipeline.deliver(pipeline.purge, message(pipeline, document_id).to_json())
    pipeline.assert_ready(["One.", "Two."])


def test_a_bots_deletion_survives_a_kill_at_every_step(make_pipeline: Callable[[], Pipeline]) -> None:
    for fatal in range(1, 1000):
        # Given
        pipeline = make_pipeline()
        prepare_bot(pipeline)
        pipeline.purge_queue.send([message(pipeline).to_json()], group="g")
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > 5
            return
        pipeline.purge_queue.messages.clear()
        # When
        pipeline.settle()
        # Then
        assert_bot_gone(pipeline)


def test_an_upload_during_a_bots_deletion_is_found_by_the_second_look(pipeline: Pipeline) -> None:
    # Given
    prepare_bot(pipeline)
    delete_prefix = pipeline.objects.delete_prefix

    def then_upload(prefix: str) -> int:
        deleted: int = delete_prefix(prefix)
        pipeline.objects.delete_prefix = delete_prefix
        pipeline.drop("late.txt", "Late.")
        return deleted

    pipeline.objects.delete_prefix = then_upload
    # When
    assert not pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    assert pipeline.bot_status() == "deleting"
    # Then
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    assert_bot_gone(pipeline)
