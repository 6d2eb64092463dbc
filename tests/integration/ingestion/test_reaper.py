"""What nobody is at is brought back, or ended in time."""

from datetime import timedelta
from typing import Any

import pytest

from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.submit import Submission
from chatsphere.knowledge.ingestion.times import DEADLINE, EMBED_LEASE, PICKUP, UPLOAD_GRACE
from tests.integration.ingestion.pipeline import Pipeline

LINES = [f"Line {number}." for number in range(130)]


def mine(pipeline: Pipeline, messages: Any) -> list[dict[str, Any]]:
    """Return the messages about this tenant: the reaper sees those of other tests, too."""
    return [m for m in messages if m["organization_id"] == str(pipeline.tenant.organization_id)]


def permit_upload(pipeline: Pipeline, name: str = "a.txt", size: int = 5) -> Any:
    key = ObjectKey(pipeline.tenant.organization_id, pipeline.tenant.bot_id, name)
    return pipeline.submitter.permit_upload(Submission(key, "upload", "text/plain", size))[1]


def test_a_lost_message_is_sent_again_once_its_time_is_over(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "A line.")
    pipeline.deliver_events()
    lost = pipeline.extract_queue.messages.popleft()
    # When, Then
    pipeline.reap()
    assert mine(pipeline, pipeline.extract_queue.messages) == []
    pipeline.clock.advance(PICKUP)
    pipeline.reap()
    pipeline.reap()
    assert mine(pipeline, pipeline.extract_queue.messages) == [lost]
    assert pipeline.extract_queue.groups[-1] == str(pipeline.tenant.organization_id)
    pipeline.run()
    pipeline.assert_ready(["A line."])


def test_only_missing_batches_are_sent_again(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "\n".join(LINES))
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    first, *lost = pipeline.embed_queue.messages
    pipeline.embed_queue.messages.clear()
    pipeline.deliver(pipeline.embed, first)
    # When
    pipeline.clock.advance(EMBED_LEASE)
    pipeline.reap()
    # Then
    assert mine(pipeline, pipeline.embed_queue.messages) == lost
    pipeline.run()
    pipeline.assert_ready(LINES)
    assert len(pipeline.embedder.texts) == len(LINES)


def test_a_document_that_nobody_finishes_fails_at_its_deadline(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "A line.")
    pipeline.deliver_events()
    # When
    pipeline.clock.advance(DEADLINE)
    pipeline.reap()
    # Then
    document = pipeline.document()
    assert (document["status"], document["error_code"], document["retryable"]) == ("failed", "deadline_exceeded", True)
    # And what is left of the work does nothing more
    pipeline.run()
    assert pipeline.document()["status"] == "failed"
    assert pipeline.chunks(live=False) == []


def test_the_deadline_holds_for_embedding_too_and_leaves_no_vectors(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "\n".join(LINES))
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages[0])
    pipeline.embed_queue.messages.clear()
    assert pipeline.vector_ids()
    # When
    pipeline.clock.advance(DEADLINE)
    pipeline.reap()
    pipeline.settle()
    # Then
    assert pipeline.document()["error_code"] == "deadline_exceeded"
    assert (pipeline.chunks(live=False), pipeline.vector_ids()) == ([], [])


def test_an_upload_that_never_comes_expires(pipeline: Pipeline) -> None:
    # Given
    form = permit_upload(pipeline)
    assert pipeline.bot_status() == "uploading"
    # When
    pipeline.clock.advance(timedelta(seconds=3600) + UPLOAD_GRACE - timedelta(seconds=1))
    pipeline.reap()
    assert pipeline.document()["status"] == "registered"
    pipeline.clock.advance(timedelta(seconds=1))
    pipeline.reap()
    # Then
    document = pipeline.document()
    assert (document["status"], document["stage"], document["error_code"]) == ("failed", "upload", "upload_expired")
    # And if it comes after all, it is taken
    pipeline.objects.upload(form, b"Late.")
    pipeline.run()
    pipeline.assert_ready(["Late."], document_id=document["id"])


def test_a_replacement_that_never_comes_leaves_what_there_was(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "A line.")
    pipeline.run()
    permit_upload(pipeline)
    assert pipeline.document()["status"] == "registered"
    assert pipeline.chunks() == ["A line."]
    # When
    pipeline.clock.advance(timedelta(seconds=3600) + UPLOAD_GRACE)
    pipeline.reap()
    # Then
    pipeline.assert_ready(["A line."])


def test_a_restart_that_voids_every_lease_does_not_expire_uploads(pipeline: Pipeline) -> None:
    # Given
    form = permit_upload(pipeline)
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE documents SET lease_expires_at = %s WHERE lease_expires_at > %s",
            (pipeline.clock.now(), pipeline.clock.now()),
        )
    # When
    pipeline.reap()
    # Then
    assert pipeline.document()["status"] == "registered"
    pipeline.objects.upload(form, b"Here.")
    pipeline.run()
    pipeline.assert_ready(["Here."])


@pytest.mark.parametrize("queue", ["extract_queue", "embed_queue"])
def test_a_queue_that_refuses_a_message_delays_and_loses_nothing(pipeline: Pipeline, queue: str) -> None:
    # Given
    pipeline.drop("a.txt", "A line.")
    getattr(pipeline, queue).failures = 1
    # When
    pipeline.run()
    assert pipeline.document()["status"] in ("registered", "embedding")
    pipeline.settle()
    # Then
    pipeline.assert_ready(["A line."])


def test_the_reaper_may_read_and_change_nothing(pipeline: Pipeline) -> None:
    with pipeline.reaper_database.transaction(None) as connection:
        rights = connection.execute(
            "SELECT has_table_privilege('documents', 'UPDATE') AS documents,"
            " has_table_privilege('chunks', 'SELECT') AS chunks"
        ).fetchone()
    assert rights == {"documents": False, "chunks": False}
