"""What nobody is at is brought back, or ended in time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatsphere.knowledge.ingestion import reap, reap_queries
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.submit import Submission
from chatsphere.knowledge.ingestion.times import DEADLINE, EMBED_LEASE, PICKUP, QUARANTINE_KEPT, UPLOAD_GRACE
from tests.integration.ingestion.pipeline import MAX_BYTES, Pipeline, WorkerKilled
from tests.postgres import DatabaseUrls

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


def test_one_tenants_many_stalled_documents_leave_the_others_their_turn(
    make_pipeline: Callable[[], Pipeline],
) -> None:
    # Given
    busy, quiet = make_pipeline(), make_pipeline()
    for number in range(5):
        busy.drop(f"{number}.txt", "A line.")
    quiet.drop("a.txt", "A line.")
    for pipeline in (busy, quiet):
        pipeline.deliver_events()
        pipeline.extract_queue.messages.clear()
        pipeline.clock.advance(PICKUP)
    # When
    with busy.reaper_database.transaction(None) as connection:
        rows = connection.execute(reap_queries.STALLED_DOCUMENTS, {"now": busy.clock.now(), "limit": 10_000}).fetchall()
    found = [row["organization_id"] for row in rows]
    # Then of the quiet one's and the busy one's first, neither is behind the busy one's second
    order = [
        organization
        for organization in found
        if organization in (busy.tenant.organization_id, quiet.tenant.organization_id)
    ]
    assert set(order[:2]) == {busy.tenant.organization_id, quiet.tenant.organization_id}
    assert len(order) == 6


def test_notes_of_what_was_nobodys_are_forgotten(
    pipeline: Pipeline, database_urls: DatabaseUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    def noted() -> list[str]:
        with psycopg.connect(database_urls.admin) as connection:
            rows = connection.execute("SELECT s3_key FROM quarantined_objects WHERE s3_key LIKE %s ORDER BY id", (own,))
            return [row[0].rpartition("/")[2] for row in rows]

    own = f"%{pipeline.tenant.bot_id}/../%"
    for number in range(3):
        pipeline.drop(f"../{number}", "Planted.")
        pipeline.run()
    assert noted() == ["0", "1", "2"]
    # When there are more than anybody reads
    monkeypatch.setattr(reap, "MAX_QUARANTINED", 2)
    pipeline.reap()
    assert noted() == ["1", "2"]
    # When they are old
    pipeline.clock.advance(QUARANTINE_KEPT)
    pipeline.reap()
    assert noted() == []


def test_a_document_of_which_no_batch_is_missing_goes_live(pipeline: Pipeline) -> None:
    # Given one whose last batch was noted by somebody who then did not come to the end
    pipeline.drop("a.txt", "A line.")
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    pipeline.embed_queue.messages.clear()
    document_id = pipeline.document()["id"]
    with pipeline.connection() as connection:
        connection.execute(
            "INSERT INTO embedding_batches (organization_id, document_id, generation, batch, model)"
            " VALUES (app.current_organization(), %s, 1, 0, 'fake')",
            (document_id,),
        )
    # When
    pipeline.settle()
    # Then
    assert pipeline.document()["status"] == "ready"


def test_vectors_that_nobody_noted_go_when_their_document_is_refused(pipeline: Pipeline) -> None:
    # Given a worker that wrote a document's only batch and died, and its message with it
    pipeline.drop("a.txt", "A line.")
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    upsert = pipeline.vectors.upsert

    def die(*arguments: Any) -> None:
        upsert(*arguments)
        raise WorkerKilled

    pipeline.vectors.upsert = die
    with pytest.raises(WorkerKilled):
        pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages.popleft())
    pipeline.vectors.upsert = upsert
    # When
    pipeline.drop("a.txt", "x" * (MAX_BYTES + 1))
    pipeline.deliver_events()
    pipeline.settle()
    # Then
    assert pipeline.document()["error_code"] == "too_large"
    assert pipeline.vector_ids() == []
