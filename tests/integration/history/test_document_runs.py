"""What the triggers write of each generation, whichever way the pipeline takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chatsphere.errors import CorruptDocumentError, NotFoundError, UnavailableError
from chatsphere.knowledge.history.runs import DocumentRun, runs_page
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.submit import Submission
from tests.integration.ingestion.pipeline import FakeExtraction, Pipeline, read_lines

SECOND = timedelta(seconds=1)


def runs(pipeline: Pipeline) -> list[DocumentRun]:
    """The runs of the one document, the oldest first."""
    document_id = pipeline.document()["id"]
    with pipeline.connection() as connection:
        found = runs_page(connection, pipeline.tenant.bot_id, document_id, after=None, limit=100)
    return list(reversed(found))


def outcomes(pipeline: Pipeline) -> list[tuple[int, str | None, str]]:
    return [(run.generation, run.outcome, run.stage) for run in runs(pipeline)]


def announce(pipeline: Pipeline, name: str = "a.txt", size: int = 3) -> None:
    key = ObjectKey(pipeline.tenant.organization_id, pipeline.tenant.bot_id, name)
    pipeline.submitter.permit_upload(Submission(key, "upload", "text/plain", size))


def count(pipeline: Pipeline, table: str) -> int:
    with pipeline.connection() as connection:
        row = connection.execute(f"SELECT count(*) AS rows FROM {table}").fetchone()
    return int(row["rows"]) if row else 0


def test_a_run_tells_when_it_was_at_which_stage_and_what_it_made(pipeline: Pipeline) -> None:
    # Given an upload that is announced, comes a second later, is read and embedded a second later each
    def read_slowly(*arguments: Any, **options: Any) -> Any:
        pipeline.clock.advance(SECOND)
        return read_lines(*arguments, **options)

    pipeline.read = read_slowly
    announce(pipeline, size=100)
    pipeline.clock.advance(SECOND)
    pipeline.drop("a.txt", "One line.\nAnother line.")
    pipeline.deliver_events()
    pipeline.clock.advance(SECOND)
    pipeline._drain(pipeline.extract_queue.messages, pipeline.extract)
    pipeline.clock.advance(2 * SECOND)

    # When all of it is done
    pipeline.run()

    # Then one run tells of it
    (run,) = runs(pipeline)
    assert (run.generation, run.outcome, run.stage, run.attempts) == (1, "ready", "done", 1)
    assert run.seconds() == {"upload": 1.0, "queue": 1.0, "extract": 1.0, "embed": 2.0, "total": 5.0}
    assert (run.size, run.page_count, run.chunk_count, run.token_count) == (23, 1, 2, 4)
    assert (run.error_code, run.embedding_model) == (None, pipeline.embedder.model)
    assert run.finished_at == pipeline.document()["ready_at"]


def test_a_run_under_way_has_no_outcome_yet(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()

    (run,) = runs(pipeline)

    assert (run.outcome, run.stage, run.finished_at) == (None, "extract", None)
    assert run.seconds() == {"upload": 0.0}


def test_a_replacement_that_comes_while_reading_supersedes_the_run(pipeline: Pipeline) -> None:
    # Given a document that is replaced while it is read
    def read_and_be_replaced(*arguments: Any, **options: Any) -> Any:
        pipeline.read = read_lines
        pipeline.clock.advance(SECOND)
        pipeline.drop("a.txt", "new")
        pipeline.deliver(pipeline.register, pipeline.events.pop())
        return read_lines(*arguments, **options)

    pipeline.read = read_and_be_replaced
    pipeline.drop("a.txt", "old")

    # When everything is worked off
    pipeline.run()

    # Then the former run says so, and the new one is its own
    pipeline.assert_ready(["new"])
    assert outcomes(pipeline) == [(1, "superseded", "extract"), (2, "ready", "done")]
    assert runs(pipeline)[0].seconds()["total"] == 1.0


def test_the_same_bytes_again_are_unchanged_and_cost_nothing(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.run()
    with pipeline.connection() as connection:
        # As after an upload in parts: only reading the object tells that its bytes are the same.
        connection.execute("UPDATE documents SET live_etag = 'abc-2', etag = 'abc-2'")
    pipeline.drop("a.txt", "text")
    pipeline.run()

    last = runs(pipeline)[-1]
    assert (last.outcome, last.chunk_count, last.page_count, last.cost_microdollars) == ("unchanged", None, None, 0)


def test_a_failure_tells_why_and_a_redrive_is_a_run_of_its_own(pipeline: Pipeline) -> None:
    # Given a document that cannot be read
    def refuse(*_: Any, **__: Any) -> FakeExtraction:
        raise CorruptDocumentError("The file is damaged.")

    pipeline.read = refuse
    pipeline.drop("a.txt", "text")
    pipeline.run()
    (failed,) = runs(pipeline)
    assert (failed.outcome, failed.stage, failed.error_code, failed.retryable) == (
        "failed",
        "extract",
        "corrupt",
        False,
    )

    # When it is read again, with success
    pipeline.read = read_lines
    tenant = pipeline.tenant
    Redriver(pipeline.database, pipeline.extract_queue, pipeline.clock).reprocess(
        tenant.organization_id, tenant.bot_id, pipeline.document()["id"]
    )
    pipeline.run()

    # Then both tries are told
    assert outcomes(pipeline) == [(1, "failed", "extract"), (2, "ready", "done")]


def test_a_redrive_of_the_same_generation_is_a_run_too(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()
    with pipeline.connection() as connection:
        connection.execute("UPDATE documents SET status = 'failed', error_code = 'internal_error', retryable = true")
        connection.execute("UPDATE documents SET status = 'registered', error_code = NULL, retryable = NULL")
    pipeline.run()

    assert outcomes(pipeline) == [(1, "failed", "extract"), (1, "ready", "done")]


def test_tries_are_counted_and_a_step_taken_back_is_the_same_run(pipeline: Pipeline) -> None:
    # Given a worker that fails twice, once because of an outage
    failures = [RuntimeError("broken"), UnavailableError("outage")]

    def fail_first(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return read_lines(*arguments, **options)

    pipeline.read = fail_first
    pipeline.drop("a.txt", "text")
    for _ in range(3):
        pipeline.run()

    # Then the outage is no attempt, and all of it is one run
    (run,) = runs(pipeline)
    assert (run.outcome, run.attempts) == ("ready", 2)


def test_an_upload_that_never_comes_is_told(pipeline: Pipeline) -> None:
    announce(pipeline)
    pipeline.clock.advance(timedelta(days=1))
    pipeline.reap()

    (run,) = runs(pipeline)
    assert (run.outcome, run.stage, run.error_code) == ("failed", "upload", "upload_expired")
    assert run.seconds() == {"upload": 86400.0, "total": 86400.0}


def test_a_replacement_that_never_comes_leaves_all_unchanged(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.run()
    announce(pipeline)
    pipeline.clock.advance(timedelta(days=1))
    pipeline.reap()

    assert [run.outcome for run in runs(pipeline)] == ["ready", "unchanged"]


def test_a_scan_and_a_fetch_are_stages_of_the_run(pipeline: Pipeline) -> None:
    """Written as the stages of web pages and of malware scans write it."""
    announce(pipeline)
    steps = [
        "stage = 'fetch'",
        "stage = 'scan', generation = 1",
        "stage = 'extract'",
        "status = 'extracting'",
        "status = 'embedding', stage = 'embed'",
        "status = 'ready', stage = 'done', live_generation = 1",
    ]
    with pipeline.connection() as connection:
        for step in steps:
            pipeline.clock.advance(SECOND)
            connection.execute(f"UPDATE documents SET {step}, updated_at = %s", (pipeline.clock.now(),))

    (run,) = runs(pipeline)
    assert run.seconds() == {"upload": 2.0, "scan": 1.0, "queue": 1.0, "extract": 1.0, "embed": 1.0, "total": 6.0}


def test_a_refused_object_ends_the_run_before_and_fails_its_own(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()
    pipeline.drop("a.txt", "x" * 20_000)
    pipeline.deliver_events()

    assert [(run.outcome, run.error_code) for run in runs(pipeline)] == [
        ("superseded", None),
        ("failed", "too_large"),
    ]


def test_a_deleted_documents_history_goes_with_it(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()
    tenant, document_id = pipeline.tenant, pipeline.document()["id"]
    message = PurgeMessage(organization_id=tenant.organization_id, bot_id=tenant.bot_id, document_id=document_id)
    with pipeline.connection() as connection:
        connection.execute("UPDATE documents SET status = 'deleting', stage = 'delete', generation = generation + 1")
        row = connection.execute("SELECT outcome FROM document_runs").fetchone()
    assert row == {"outcome": "deleted"}

    pipeline.eraser.erase(message)

    assert count(pipeline, "document_runs") == 0


def test_only_the_last_fifty_runs_are_kept(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.deliver_events()
    with pipeline.connection() as connection:
        for _ in range(60):
            connection.execute("UPDATE documents SET generation = generation + 1")

    kept = runs(pipeline)
    assert (len(kept), kept[0].generation, kept[-1].generation) == (50, 12, 61)


def test_a_bots_history_goes_with_the_bot(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "text")
    pipeline.run()
    with pipeline.connection() as connection:
        connection.execute("DELETE FROM bots")

    assert [count(pipeline, table) for table in ("document_runs", "document_changes", "training_runs")] == [0, 0, 0]


def test_another_tenants_history_is_not_there(make_pipeline: Callable[[], Pipeline]) -> None:
    pipeline, other = make_pipeline(), make_pipeline()
    pipeline.drop("a.txt", "text")
    pipeline.run()
    document_id = pipeline.document()["id"]

    with other.connection() as connection:
        with pytest.raises(NotFoundError):
            runs_page(connection, pipeline.tenant.bot_id, document_id, after=None, limit=10)
        assert connection.execute("SELECT FROM document_runs").fetchall() == []
