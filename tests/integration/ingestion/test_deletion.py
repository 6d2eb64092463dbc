"""What is deleted is gone everywhere, at once for readers, and stays gone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.knowledge.ingestion import deletion as deletions
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.receipt_queries import COLUMNS
from chatsphere.knowledge.ingestion.receipts import Deletion, open_deletion
from chatsphere.knowledge.ingestion.times import BOT_RECHECK, DOCUMENT_RECHECK
from tests.fakes import InMemoryObjectStore
from tests.integration.ingestion.pipeline import BEYOND_EVERY_LEASE, Pipeline
from tests.integration.ingestion.tripwire import run_killed_at, wire

AFTER_EACH = range(2, 1000, 2)
"""The steps that follow a commit or a call. What is killed before one has changed nothing since the step before."""


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


def receipt(pipeline: Pipeline, document_id: Any = None) -> Deletion:
    """Return the deletion of the document, or of the bot."""
    with pipeline.connection() as connection:
        (row,) = connection.execute(
            f"SELECT {COLUMNS} FROM deletions WHERE bot_id = %s AND document_id IS NOT DISTINCT FROM %s",
            (pipeline.tenant.bot_id, document_id),
        )
    return Deletion.of(row)


def settle(pipeline: Pipeline, document_id: Any = None) -> None:
    """Let time pass and everything be tried again, until there is a receipt."""
    for _ in range(4):
        if receipt(pipeline, document_id).status == "done":
            return
        pipeline.clock.advance(BEYOND_EVERY_LEASE)
        pipeline.reap()
        pipeline.run()


def hear_nothing(pipeline: Pipeline) -> None:
    """Do without the bucket's notifications: what they do to a deletion is tested apart."""
    pipeline.deliver_events = lambda: None  # type: ignore[method-assign]


@contextmanager
def answering_nothing(port: Any, method: str) -> Iterator[None]:
    """Let one method of a port fail."""

    def fail(*_: Any, **__: Any) -> Any:
        raise UnavailableError("It does not answer.")

    setattr(port, method, fail)
    yield
    delattr(port, method)


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
    done = pipeline.eraser.delete(message(pipeline, document_id), pipeline.purge_queue)
    # Then
    assert_nothing_left(pipeline)
    assert pipeline.bot_status() == "draft"
    removed = {"documents": 1, "chunks": 1, "lexical_entries": 1, "vectors": 1, "object_versions": 2}
    assert (done.status, done.reason, done.removed) == ("done", "api", removed)
    assert set(done.left_over or ()) == removed.keys()
    assert not any((done.left_over or {}).values())
    assert receipt(pipeline, document_id) == done
    assert (done.object_key, done.object_versions) == (None, None)
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


def test_an_object_put_during_a_deletion_is_another_documents(pipeline: Pipeline) -> None:
    # Given a deletion that is held up before it reaches the bucket
    document_id = ready(pipeline)
    with answering_nothing(pipeline.objects, "delete_versions"):
        delete(pipeline, document_id)
    # When
    pipeline.drop("a.txt", "Newer.")
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready(["Newer."])
    assert pipeline.document()["id"] != document_id
    assert pipeline.objects.count_versions("") == 1


@pytest.mark.parametrize("versioned", [True, False])
def test_what_is_stored_after_a_deletion_survives_it(make_pipeline: Callable[[], Pipeline], versioned: bool) -> None:
    # Given a bucket that did not answer when the document was deleted
    pipeline = make_pipeline()
    pipeline.objects = InMemoryObjectStore(pipeline.clock, versioned=versioned)
    document_id = ready(pipeline)
    with answering_nothing(pipeline.objects, "versions"):
        delete(pipeline, document_id)
    # When the next object is put before the deletion goes on
    pipeline.clock.advance(timedelta(seconds=10))
    pipeline.drop("a.txt", "Newer.")
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready(["Newer."])
    assert receipt(pipeline, document_id).removed.get("object_versions", 0) == versioned


def test_a_late_event_does_not_bring_back_what_is_being_deleted(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "First.")
    event = pipeline.events[-1]
    pipeline.run()
    document_id = pipeline.document()["id"]
    with answering_nothing(pipeline.objects, "delete_versions"):
        delete(pipeline, document_id)
    # When its object is announced again, while it is still there
    assert pipeline.deliver(pipeline.register, event)
    pipeline.settle()
    # Then
    assert_nothing_left(pipeline)


def test_a_version_that_came_between_the_look_and_the_deletion_goes_too(pipeline: Pipeline) -> None:
    # Given a bucket that was looked at before the newest version was registered
    document_id = ready(pipeline)
    versions = pipeline.objects.versions

    def then_replace(key: str) -> Any:
        found = versions(key)
        pipeline.objects.versions = versions
        pipeline.drop("a.txt", "Second.")
        pipeline.deliver_events()
        return found

    pipeline.objects.versions = then_replace
    # When
    delete(pipeline, document_id)
    pipeline.settle()
    # Then
    assert_nothing_left(pipeline)


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
        open_deletion(connection, pipeline.tenant.bot_id, None, pipeline.clock.now())


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
    pipeline.drop("a.txt", "One.\nTwo.")
    ready(pipeline, "b.txt", "Three.")
    converse(pipeline)
    pipeline.drop("hidden.txt", "Removed before it was seen.")
    pipeline.objects.remove(pipeline.key("hidden.txt"))
    pipeline.events.clear()
    mark_bot(pipeline)


def test_a_deleted_bot_takes_everything_with_it(make_pipeline: Callable[[], Pipeline]) -> None:
    # Given
    pipeline, other = make_pipeline(), make_pipeline()
    ready(other)
    prepare_bot(pipeline)
    # When
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    # Then
    assert_bot_gone(pipeline)
    other.assert_ready(["One.", "Two."])
    done = receipt(pipeline)
    counts = {"documents": 2, "chunks": 3, "lexical_entries": 3, "vectors": 3, "object_versions": 4}
    assert done.status == "done"
    assert done.removed.items() >= (counts | {"conversations": 1, "messages": 1, "bots": 1}).items()
    assert not any((done.left_over or {"?": 1}).values())
    assert (done.left_over or {}).keys() >= done.removed.keys() - {"lexical_entries", "messages"}


def test_a_bot_that_is_not_deleted_is_left_alone(pipeline: Pipeline) -> None:
    ready(pipeline)
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    pipeline.assert_ready(["One.", "Two."])


def test_a_document_that_is_not_deleted_is_left_alone(pipeline: Pipeline) -> None:
    document_id = ready(pipeline)
    assert pipeline.deliver(pipeline.purge, message(pipeline, document_id).to_json())
    pipeline.assert_ready(["One.", "Two."])


def test_a_bots_deletion_survives_a_kill_at_every_step(make_pipeline: Callable[[], Pipeline]) -> None:
    for fatal in AFTER_EACH:
        # Given
        pipeline = make_pipeline()
        prepare_bot(pipeline)
        hear_nothing(pipeline)
        pipeline.purge_queue.send([message(pipeline).to_json()], group="g")
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > 5
            return
        pipeline.purge_queue.messages.clear()
        # When
        settle(pipeline)
        # Then
        assert_bot_gone(pipeline)
        assert receipt(pipeline).removed.items() >= {"documents": 2, "chunks": 3, "messages": 1, "bots": 1}.items()


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


# -------------------------------------------------------------------------------------------------- receipts


def test_a_long_deletion_goes_on_where_it_stopped(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a document that takes several transactions, each as long as the time that there is
    document_id = ready(pipeline, text="\n".join(f"Line {n}." for n in range(10)))
    monkeypatch.setattr(deletions, "CHUNKS_STEP", 4)
    now, left = pipeline.clock.now, []

    def slow() -> Any:
        pipeline.clock.advance(timedelta(minutes=2))
        return now()

    monkeypatch.setattr(pipeline.clock, "now", slow)
    # When
    delete(pipeline, document_id)
    while pipeline.documents():
        assert pipeline.chunks() == []
        left.append(len(pipeline.chunks(live=False)))
        pipeline.deliver(pipeline.purge, message(pipeline, document_id).to_json())
    # Then each time a part of it went, and all of it was counted
    assert left == [10, 6, 2, 0]
    assert_nothing_left(pipeline)
    removed = receipt(pipeline, document_id).removed
    assert (removed["chunks"], removed["lexical_entries"], removed["vectors"]) == (10, 10, 10)


def test_a_killed_deletion_counts_each_thing_once(make_pipeline: Callable[[], Pipeline]) -> None:
    for fatal in AFTER_EACH:
        # Given
        pipeline = make_pipeline()
        document_id = ready(pipeline)
        hear_nothing(pipeline)
        with pipeline.connection() as connection:
            deletions.mark_deleted(connection, pipeline.tenant.bot_id, document_id, pipeline.clock.now())
        pipeline.purge_queue.send([message(pipeline, document_id).to_json()], group="g")
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > 5
            return
        # When
        settle(pipeline, document_id)
        # Then
        assert_nothing_left(pipeline)
        done = receipt(pipeline, document_id)
        counts = {"documents": 1, "chunks": 2, "lexical_entries": 2, "vectors": 2, "object_versions": 1}
        assert (done.status, done.removed) == ("done", counts)


def test_vectors_that_turn_up_after_the_receipt_are_removed_and_noted(pipeline: Pipeline) -> None:
    # Given a store that showed nothing of a write until the document was deleted
    document_id = ready(pipeline)
    unseen = dict(pipeline.vectors.records[pipeline.namespace])
    delete(pipeline, document_id)
    pipeline.vectors.records[pipeline.namespace].update(unseen)
    assert (receipt(pipeline, document_id).status, receipt(pipeline, document_id).late) == ("done", None)
    # When
    pipeline.clock.advance(DOCUMENT_RECHECK)
    pipeline.reap()
    pipeline.run()
    # Then
    assert pipeline.vector_ids() == []
    done = receipt(pipeline, document_id)
    assert (done.late, done.rechecked_at) == ({"vectors": 2}, pipeline.clock.now())
    # And nobody looks again
    pipeline.reap()
    assert not pipeline.purge_queue.messages


def test_uploads_to_a_deleted_bot_are_removed_and_noted(pipeline: Pipeline) -> None:
    # Given
    prepare_bot(pipeline)
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    pipeline.drop("late.txt", "By a form from before.")
    pipeline.run()
    # When
    pipeline.clock.advance(BOT_RECHECK)
    pipeline.reap()
    pipeline.run()
    # Then
    assert pipeline.objects.count_versions("") == 0
    assert receipt(pipeline).late == {"vectors": 0, "memory_vectors": 0, "object_versions": 1}


def test_a_document_marked_by_the_release_before_gets_its_receipt(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    with pipeline.connection() as connection:
        connection.execute("UPDATE documents SET status = 'deleting', stage = 'delete', live_generation = NULL")
    # When
    assert pipeline.deliver(pipeline.purge, message(pipeline, document_id).to_json())
    # Then
    assert_nothing_left(pipeline)
    assert receipt(pipeline, document_id).removed["object_versions"] == 1


def test_a_receipt_that_the_release_before_left_open_is_written(pipeline: Pipeline) -> None:
    # Given a document whose rows went, but neither its object nor its deletion's end
    document_id = ready(pipeline)
    with answering_nothing(pipeline.objects, "delete_versions"):
        delete(pipeline, document_id)
    with pipeline.connection() as connection:
        connection.execute("DELETE FROM chunks")
        connection.execute("DELETE FROM documents")
    pipeline.purge_queue.messages.clear()
    # When
    pipeline.settle()
    # Then
    assert_nothing_left(pipeline)
    assert receipt(pipeline, document_id).status == "done"


def test_a_removal_in_the_bucket_has_a_receipt_too(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    # When
    pipeline.objects.remove(pipeline.key("a.txt"))
    pipeline.run()
    # Then what else the bucket holds under the key is the bucket's
    done = receipt(pipeline, document_id)
    assert (done.status, done.reason) == ("done", "bucket")
    assert (done.removed["chunks"], done.removed.get("object_versions")) == (2, None)
    assert pipeline.objects.count_versions("") == 2


def test_a_document_that_goes_with_its_bot_is_not_left_running(pipeline: Pipeline) -> None:
    # Given
    document_id = ready(pipeline)
    with answering_nothing(pipeline.objects, "delete_versions"):
        delete(pipeline, document_id)
    mark_bot(pipeline)
    # When
    assert pipeline.deliver(pipeline.purge, message(pipeline).to_json())
    # Then
    assert (receipt(pipeline, document_id).status, receipt(pipeline).status) == ("done", "done")
    assert_bot_gone(pipeline)
