"""Bucket, database and vector store are compared, and what does not correspond is repaired."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion import reap
from chatsphere.knowledge.ingestion.messages import ReconcileMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.submit import Submission
from chatsphere.knowledge.reconciliation.errors import ReconciliationRunningError
from chatsphere.knowledge.reconciliation.reports import Reconciliation, ask_for, get_reconciliation
from chatsphere.ports.vectors import VectorRecord
from tests.integration.ingestion.pipeline import Pipeline

TEXT = "The first line.\nThe second line."
LINES = TEXT.split("\n")


@pytest.fixture
def ready(pipeline: Pipeline) -> Pipeline:
    """An ingestion with one document that is ready."""
    pipeline.drop("a.txt", TEXT)
    pipeline.run()
    pipeline.assert_ready(LINES)
    return pipeline


def execute(pipeline: Pipeline, statement: str, *values: Any) -> None:
    with pipeline.connection() as connection:
        connection.execute(statement, values)


def forget_event(pipeline: Pipeline) -> None:
    pipeline.events.clear()


def lose_vectors(pipeline: Pipeline) -> None:
    pipeline.vectors.records[pipeline.namespace].popitem()


def lose_index_entry(pipeline: Pipeline) -> None:
    execute(pipeline, "DELETE FROM lexical_chunks WHERE chunk_id IN (SELECT id FROM chunks WHERE bot_id = %s LIMIT 1)",
            pipeline.tenant.bot_id)  # fmt: skip


def lose_chunk(pipeline: Pipeline) -> None:
    execute(pipeline, "DELETE FROM chunks WHERE bot_id = %s AND ordinal = 1", pipeline.tenant.bot_id)


def lose_index(pipeline: Pipeline) -> None:
    execute(pipeline, "DELETE FROM lexical_segments WHERE bot_id = %s", pipeline.tenant.bot_id)


def add_former_vector(pipeline: Pipeline) -> None:
    add_vector(pipeline, pipeline.document()["id"], generation=0)


def add_orphaned_vector(pipeline: Pipeline) -> None:
    add_vector(pipeline, pipeline.ids.new(), generation=1)


def add_vector(pipeline: Pipeline, document_id: UUID, *, generation: int) -> None:
    record = VectorRecord(
        f"{document_id}:{generation}:7", [1.0] + [0.0] * 15, document_id, generation, pipeline.ids.new()
    )
    pipeline.vectors.upsert(pipeline.namespace, [record])


FAULTS: list[tuple[Callable[[Pipeline], None], set[str]]] = [
    (lose_vectors, {"vectors_missing"}),
    (lose_index_entry, {"index_incomplete", "index_orphaned"}),
    (lose_index, {"index_incomplete"}),
    (lose_chunk, {"chunks_missing", "index_orphaned"}),
    (add_former_vector, {"vectors_surplus"}),
    (add_orphaned_vector, {"vectors_orphaned"}),
]


@pytest.mark.parametrize(("fault", "kinds"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_a_store_has_lost_or_kept_is_repaired(
    ready: Pipeline, fault: Callable[[Pipeline], None], kinds: set[str]
) -> None:
    # Given
    fault(ready)
    # When
    report = ready.reconcile()
    ready.run()
    # Then
    assert set(report.found) & kinds
    assert set(report.found) <= kinds
    assert (report.status, report.remaining) == ("succeeded", {})
    ready.assert_ready(LINES)
    assert ready.reconcile().found == {}


@pytest.mark.parametrize(("fault", "kinds"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_dry_run_reports_and_changes_nothing(
    ready: Pipeline, fault: Callable[[Pipeline], None], kinds: set[str]
) -> None:
    # Given
    fault(ready)
    before = (ready.documents(), ready.vector_ids(), ready.indexed(), ready.chunks(live=False))
    # When
    report = ready.reconcile(dry_run=True)
    # Then
    assert set(report.found) & kinds
    assert (report.remaining, report.repaired) == (report.found, {})
    assert (ready.documents(), ready.vector_ids(), ready.indexed(), ready.chunks(live=False)) == before


def test_what_corresponds_is_counted_and_left_alone(ready: Pipeline) -> None:
    # Given
    before = ready.document()
    # When
    report = ready.reconcile()
    # Then
    assert report.looked_at == {
        "objects": 1, "documents": 1, "chunks": 2, "vectors": 2, "documents_with_vectors": 1, "index_segments": 1,
    }  # fmt: skip
    assert (report.found, report.repaired, report.remaining, report.examples) == ({}, {}, {}, [])
    assert ready.document() == before


def test_notifications_that_never_came_are_made_up_for(ready: Pipeline) -> None:
    # Given
    ready.drop("new.txt", "New.")
    ready.drop("b.txt", "To be changed.")
    ready.run()
    ready.drop("lost.txt", "Lost.")
    ready.drop("b.txt", "Changed.")
    ready.objects.remove(ready.key("a.txt"))
    forget_event(ready)
    # When
    report = ready.reconcile()
    ready.run()
    # Then
    assert report.found == {"object_unregistered": 1, "object_changed": 1, "object_gone": 1}
    assert report.repaired == report.found
    assert report.remaining == {}
    assert {example["subject"] for example in report.examples} >= {ready.key("lost.txt"), ready.key("b.txt")}
    assert {row["name"]: row["status"] for row in ready.documents()} == dict.fromkeys(
        ("new.txt", "b.txt", "lost.txt"), "ready"
    )
    assert sorted(ready.chunks()) == ["Changed.", "Lost.", "New."]


def test_a_key_that_can_be_no_documents_is_reported_and_stays(ready: Pipeline) -> None:
    ready.drop("folder/../x.txt", "Planted.")
    forget_event(ready)
    report = ready.reconcile()
    assert report.found == report.remaining == {"object_unusable": 1}
    assert report.repaired == {}


def test_what_is_under_way_is_left_alone(ready: Pipeline) -> None:
    # Given an upload to come, for a new document and for one that is ready, and a generation of which half is embedded
    for name in ("a.txt", "b.txt"):
        key = ObjectKey(ready.tenant.organization_id, ready.tenant.bot_id, name)
        ready.submitter.permit_upload(Submission(key, "upload", "text/plain", 5))
    ready.drop("c.txt", TEXT)
    ready.deliver_events()
    ready.deliver(ready.extract, ready.extract_queue.messages.popleft())
    before = ready.documents()
    # When
    report = ready.reconcile()
    # Then
    assert report.found == {}
    assert ready.documents() == before


def test_a_document_that_nobody_would_look_at_again_is_given_to_the_reaper(ready: Pipeline) -> None:
    statement = "UPDATE documents SET status = 'extracting', stage = 'extract' WHERE bot_id = %s"
    execute(ready, statement, ready.tenant.bot_id)
    assert ready.reconcile().repaired == {"document_stuck": 1}
    ready.settle()
    ready.assert_ready(LINES)


def ask(pipeline: Pipeline, *, dry_run: bool = False) -> Reconciliation:
    with pipeline.connection() as connection:
        return ask_for(connection, pipeline.tenant.bot_id, dry_run=dry_run, ids=pipeline.ids, now=pipeline.clock.now())


def report_of(pipeline: Pipeline, asked: Reconciliation) -> Reconciliation:
    with pipeline.connection() as connection:
        return get_reconciliation(connection, pipeline.tenant.bot_id, asked.id)


def message_for(pipeline: Pipeline, asked: Reconciliation | None = None) -> ReconcileMessage:
    return ReconcileMessage(
        organization_id=pipeline.tenant.organization_id,
        bot_id=pipeline.tenant.bot_id,
        reconciliation_id=asked.id if asked else None,
    )


def test_it_goes_on_where_it_stopped_and_counts_no_page_twice(ready: Pipeline) -> None:
    # Given
    lose_vectors(ready)
    asked = ask(ready)
    reconciler = ready.reconciler(max_pages=1)
    # When each message comes twice, the second one late
    former = message_for(ready, asked)
    for _ in range(20):
        reconciler.run(message_for(ready, asked))
        if report_of(ready, asked).finished_at:
            break
        assert ready.reconcile_queue.messages.popleft() == former.to_json()
    # Then
    report = report_of(ready, asked)
    assert (report.status, report.looked_at["objects"], report.found) == ("succeeded", 1, {"vectors_missing": 1})
    assert not ready.reconcile_queue.messages
    # And a message that comes after the end changes nothing
    reconciler.run(former)
    assert report_of(ready, asked) == report


def test_of_two_who_look_at_one_page_only_one_counts(ready: Pipeline) -> None:
    # Given
    asked = ask(ready)
    first, second = ready.reconciler(max_pages=1), ready.reconciler(max_pages=1)
    listing = ready.objects.listing

    def overtaken(prefix: str, *, after: str | None = None) -> Any:
        ready.objects.listing = listing
        second.run(message_for(ready, asked))
        return listing(prefix, after=after)

    ready.objects.listing = overtaken
    # When
    first.run(message_for(ready, asked))
    # Then
    report = report_of(ready, asked)
    assert (report.pages, report.looked_at, report.step) == (1, {"objects": 1}, "documents")


def test_a_store_that_does_not_answer_is_waited_for(ready: Pipeline) -> None:
    # Given
    asked = ask(ready)
    ready.vectors.failures = 1
    with pytest.raises(UnavailableError):
        ready.reconciler().run(message_for(ready, asked))
    # When its message was lost as well, the reaper sends another
    ready.clock.advance(timedelta(minutes=11))
    ready.reap()
    assert message_for(ready, asked).to_json() in ready.reconcile_queue.messages
    ready.reconciler().run(message_for(ready, asked))
    # Then
    assert (report_of(ready, asked).status, report_of(ready, asked).looked_at["objects"]) == ("succeeded", 1)


def test_one_that_does_not_end_within_a_day_fails(ready: Pipeline) -> None:
    asked = ask(ready)
    ready.clock.advance(timedelta(days=1, seconds=1))
    ready.reconciler().run(message_for(ready, asked))
    assert (report_of(ready, asked).status, report_of(ready, asked).error_code) == ("failed", "deadline_exceeded")


def test_one_at_a_time(ready: Pipeline) -> None:
    asked = ask(ready)
    assert ask(ready).id == asked.id
    with pytest.raises(ReconciliationRunningError):
        ask(ready, dry_run=True)


def test_the_reaper_has_each_bot_compared_every_day(ready: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given other tests' bots, which are due as well
    monkeypatch.setattr(reap, "MAX_RECONCILIATIONS", 10_000)

    def due() -> int:
        ready.reconcile_queue.messages.clear()
        ready.reap()
        return sum(sent["bot_id"] == str(ready.tenant.bot_id) for sent in ready.reconcile_queue.messages)

    ready.reconcile()
    assert due() == 0
    # When
    ready.clock.advance(timedelta(days=1))
    # Then, though the message is sent again until it is begun, it is begun once
    assert (due(), due()) == (1, 1)
    for _ in range(2):
        ready.reconciler().run(message_for(ready))
    with ready.connection() as connection:
        counted = connection.execute(
            "SELECT count(*) FROM reconciliations WHERE bot_id = %s", (ready.tenant.bot_id,)
        ).fetchone()
    assert counted == {"count": 2}
    assert due() == 0


def test_a_bot_that_is_being_deleted_is_left_alone(ready: Pipeline) -> None:
    asked = ask(ready)
    execute(ready, "UPDATE bots SET status = 'deleting' WHERE id = %s", ready.tenant.bot_id)
    ready.reconciler().run(message_for(ready, asked))
    assert report_of(ready, asked).pages == 0
