"""Failed documents are tried again, from where that is possible."""

from typing import Any
from uuid import UUID

import pytest

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.ingestion.errors import DocumentInProgressError, NoStoredObjectError
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.redrive import Redriven, Skipped
from chatsphere.knowledge.ingestion.submit import Submission
from chatsphere.knowledge.ingestion.times import UPLOAD_GRACE
from tests.integration.ingestion.pipeline import MAX_BYTES, Pipeline, read_lines


def refuse(*_: Any, **__: Any) -> Any:
    raise CorruptDocumentError


def fail(pipeline: Pipeline, *names: str) -> list[UUID]:
    """Have documents fail that cannot be read."""
    pipeline.read = refuse
    for name in names:
        pipeline.drop(name, f"Text of {name}.")
    pipeline.run()
    pipeline.read = read_lines
    assert {row["status"] for row in pipeline.documents() if row["name"] in names} == {"failed"}
    return [row["id"] for row in pipeline.documents() if row["name"] in names]


def make_retryable(pipeline: Pipeline, document_id: UUID) -> None:
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE documents SET error_code = 'internal_error', retryable = true WHERE id = %s", (document_id,)
        )


def redrive(pipeline: Pipeline, **chosen: Any) -> Redriven:
    return pipeline.redriver.redrive(pipeline.tenant.organization_id, pipeline.tenant.bot_id, **chosen)


def test_without_a_choice_those_start_again_for_which_it_may_help(pipeline: Pipeline) -> None:
    # Given
    hopeless, passing = fail(pipeline, "a.txt", "b.txt")
    make_retryable(pipeline, passing)
    # When
    outcome = redrive(pipeline)
    pipeline.run()
    # Then
    assert outcome == Redriven(1, [], has_more=False)
    assert {row["id"]: row["status"] for row in pipeline.documents()} == {hopeless: "failed", passing: "ready"}
    assert pipeline.chunks() == ["Text of b.txt."]


def test_any_may_be_named_by_its_error_or_its_id(pipeline: Pipeline) -> None:
    # Given
    first, _ = fail(pipeline, "a.txt", "b.txt")
    # When, Then
    assert redrive(pipeline, document_ids=[first], error_codes=["no_such_error"]).redriven == 0
    assert redrive(pipeline, document_ids=[first]) == Redriven(1, [], has_more=False)
    assert redrive(pipeline, error_codes=["corrupt"]).redriven == 1
    pipeline.run()
    assert sorted(pipeline.chunks()) == ["Text of a.txt.", "Text of b.txt."]


def test_of_which_nothing_is_stored_is_said_so(pipeline: Pipeline) -> None:
    # Given one that was refused, one that never came, one that is ready
    pipeline.drop("large.txt", "x" * (MAX_BYTES + 1))
    pipeline.drop("good.txt", "Good.")
    key = ObjectKey(pipeline.tenant.organization_id, pipeline.tenant.bot_id, "awaited.txt")
    pipeline.submitter.permit_upload(Submission(key, "upload", "text/plain", 5))
    pipeline.run()
    pipeline.clock.advance(UPLOAD_GRACE * 10)
    pipeline.reap()
    ids = {row["name"]: row["id"] for row in pipeline.documents()}
    strange = pipeline.ids.new()
    # When
    outcome = redrive(pipeline, document_ids=[*ids.values(), strange])
    # Then
    assert outcome.redriven == 0
    assert sorted(outcome.skipped, key=lambda skipped: skipped.document_id) == sorted(
        [
            Skipped(ids["large.txt"], "no_stored_object", "too_large"),
            Skipped(ids["awaited.txt"], "no_stored_object", "upload_expired"),
            Skipped(ids["good.txt"], "not_failed"),
            Skipped(strange, "not_failed"),
        ],
        key=lambda skipped: skipped.document_id,
    )


def test_many_take_several_requests(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsphere.knowledge.ingestion.redrive.AT_ONCE", 2)
    fail(pipeline, "a.txt", "b.txt", "c.txt")
    assert redrive(pipeline, error_codes=["corrupt"]) == Redriven(2, [], has_more=True)
    assert redrive(pipeline, error_codes=["corrupt"]) == Redriven(1, [], has_more=False)


def test_messages_that_are_lost_come_again(pipeline: Pipeline) -> None:
    fail(pipeline, "a.txt")
    redrive(pipeline, error_codes=["corrupt"])
    pipeline.extract_queue.messages.clear()
    pipeline.settle()
    pipeline.assert_ready(["Text of a.txt."])


def reprocess(pipeline: Pipeline, name: str = "a.txt") -> None:
    (document_id,) = (row["id"] for row in pipeline.documents() if row["name"] == name)
    pipeline.redriver.reprocess(pipeline.tenant.organization_id, pipeline.tenant.bot_id, document_id)


def test_what_is_ready_or_failed_can_be_processed_again(pipeline: Pipeline) -> None:
    # Given
    fail(pipeline, "a.txt")
    # When
    reprocess(pipeline)
    pipeline.run()
    pipeline.assert_ready(["Text of a.txt."])
    reprocess(pipeline)
    # Then readers see the former passages until the new ones are whole
    assert pipeline.chunks() == ["Text of a.txt."]
    pipeline.run()
    pipeline.assert_ready(["Text of a.txt."])


def test_what_is_under_way_is_not_begun_again(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "A line.")
    pipeline.deliver_events()
    # When, Then in each state that it has on the way
    for step in (pipeline.extract, pipeline.embed):
        with pytest.raises(DocumentInProgressError):
            reprocess(pipeline)
        queue = pipeline.extract_queue if step == pipeline.extract else pipeline.embed_queue
        pipeline.deliver(step, queue.messages.popleft())
    pipeline.assert_ready(["A line."])


def test_what_waits_for_its_upload_is_waited_for(pipeline: Pipeline) -> None:
    key = ObjectKey(pipeline.tenant.organization_id, pipeline.tenant.bot_id, "a.txt")
    pipeline.submitter.permit_upload(Submission(key, "upload", "text/plain", 5))
    with pytest.raises(DocumentInProgressError):
        reprocess(pipeline)


def test_what_was_refused_has_to_be_uploaded_again(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "x" * (MAX_BYTES + 1))
    pipeline.run()
    with pytest.raises(NoStoredObjectError):
        reprocess(pipeline)
