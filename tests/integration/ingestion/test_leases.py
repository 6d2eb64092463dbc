"""Who may work on a document, for how long, and what happens when they fail."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chatsphere.db.database import Database
from chatsphere.errors import CorruptDocumentError, NoTextLayerError, UnavailableError
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.errors import LeaseLostError, ProcessingError
from chatsphere.knowledge.ingestion.leases import ExtractionLease
from chatsphere.knowledge.ingestion.messages import EmbedMessage, ExtractMessage
from chatsphere.knowledge.ingestion.times import (
    CLEANUP_LEASE,
    EXTRACT_LEASE,
    EXTRACT_TIME,
    MAX_ATTEMPTS,
    RENEW_EVERY,
)
from chatsphere.knowledge.ingestion.transitions import fail_document
from chatsphere.knowledge.text import Block
from chatsphere.ports.vectors import VectorRecord
from tests.fakes import FakeEmbedder
from tests.integration.ingestion.pipeline import FakeExtraction, Pipeline, WorkerKilled, read_lines
from tests.postgres import DatabaseUrls

LINE = "A line."


def registered(pipeline: Pipeline, text: str = LINE) -> dict[str, Any]:
    """Return the message of a document that is registered and that nobody works on."""
    pipeline.drop("a.txt", text)
    pipeline.deliver_events()
    message: dict[str, Any] = pipeline.extract_queue.messages.popleft()
    return message


def abandon(pipeline: Pipeline, message: dict[str, Any]) -> None:
    """Have a worker take up the document and die."""

    def die(*_: Any, **__: Any) -> Any:
        raise WorkerKilled

    pipeline.read = die
    with pytest.raises(WorkerKilled):
        pipeline.deliver(pipeline.extract, message)
    pipeline.read = read_lines


def test_a_lease_keeps_others_away_until_it_runs_out(pipeline: Pipeline) -> None:
    # Given
    message = registered(pipeline)
    abandon(pipeline, message)
    # When, Then
    assert not pipeline.deliver(pipeline.extract, message)
    pipeline.clock.advance(EXTRACT_LEASE)
    assert pipeline.deliver(pipeline.extract, message)
    pipeline.run()
    pipeline.assert_ready([LINE])


def test_a_live_extraction_renews_its_lease(pipeline: Pipeline) -> None:
    # Given a file that takes longer to read than a lease lasts
    message = registered(pipeline)
    refused = []

    def read_slowly(path: Path, *, on_progress: Any, **_: Any) -> Any:
        for _second in range(int(EXTRACT_LEASE / RENEW_EVERY) + 2):
            pipeline.clock.advance(RENEW_EVERY)
            on_progress()
            refused.append(not pipeline.deliver(pipeline.extract, message))
        return read_lines(path)

    pipeline.read = read_slowly
    # When
    assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert all(refused)
    pipeline.run()
    pipeline.assert_ready([LINE])


def test_a_worker_that_lost_its_lease_writes_nothing_more(pipeline: Pipeline) -> None:
    # Given a worker that stalls until somebody else has done its work
    message = registered(pipeline, "One.\nTwo.")

    def stall(path: Path, **_: Any) -> Any:
        def blocks() -> Any:
            pipeline.read = read_lines
            pipeline.clock.advance(EXTRACT_LEASE)
            assert pipeline.deliver(pipeline.extract, message)
            yield Block("Written by the one that stalled.")

        return FakeExtraction(blocks())

    pipeline.read = stall
    # When
    assert pipeline.deliver(pipeline.extract, message)
    pipeline.run()
    # Then
    pipeline.assert_ready(["One.", "Two."])


def test_the_holder_of_a_lost_lease_can_do_nothing_to_the_new_one(pipeline: Pipeline) -> None:
    # Given
    message = ExtractMessage.parse(registered(pipeline))
    former, present = (
        ExtractionLease(pipeline.database, pipeline.clock, message, pipeline.ids.new()) for _ in range(2)
    )
    former.claim(1)
    pipeline.clock.advance(EXTRACT_LEASE)
    present.claim(1)
    before = pipeline.document()
    # When
    with pytest.raises(LeaseLostError), pipeline.connection() as connection:
        former.hold(connection)
    pipeline.clock.advance(RENEW_EVERY)
    with pytest.raises(LeaseLostError):
        former.renew()
    former.release(counted=True)
    # Then
    assert pipeline.document() == before
    present.renew()
    assert pipeline.document()["lease_expires_at"] == pipeline.clock.now() + EXTRACT_LEASE


def test_an_extraction_of_a_former_generation_stops(pipeline: Pipeline) -> None:
    # Given
    message = registered(pipeline)

    def overtaken(path: Path, **_: Any) -> Any:
        pipeline.read = read_lines
        pipeline.drop("a.txt", "Newer.")
        pipeline.deliver_events()
        return FakeExtraction(iter([Block("Older.")]))

    pipeline.read = overtaken
    # When
    assert pipeline.deliver(pipeline.extract, message)
    pipeline.run()
    # Then
    pipeline.assert_ready(["Newer."])


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [(CorruptDocumentError(), "corrupt", False), (NoTextLayerError(), "no_text_layer", False)],
)
def test_a_bad_document_fails_with_its_reason(pipeline: Pipeline, error: Exception, code: str, retryable: bool) -> None:
    # Given
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    pipeline.read = refuse
    # When
    assert pipeline.deliver(pipeline.extract, registered(pipeline))
    # Then
    document = pipeline.document()
    assert (document["status"], document["stage"]) == ("failed", "extract")
    assert (document["error_code"], document["retryable"]) == (code, retryable)
    assert document["error_message"]
    assert document["lease_expires_at"] is None
    assert pipeline.bot_status() == "error"
    with pipeline.connection() as connection:
        (row,) = connection.execute("SELECT * FROM error_logs").fetchall()
    assert (row["service"], row["error_type"], row["document_id"]) == ("ingestion", code, document["id"])
    assert row["details"] == {"name": "a.txt", "stage": "extract", "attempts": 1, "generation": 1}


def test_a_document_that_fails_midway_leaves_no_chunks(pipeline: Pipeline) -> None:
    # Given
    def break_off(path: Path, **_: Any) -> Any:
        def blocks() -> Any:
            yield from (Block(f"Line {n}.") for n in range(100))
            raise CorruptDocumentError

        return FakeExtraction(blocks())

    pipeline.read = break_off
    # When
    assert pipeline.deliver(pipeline.extract, registered(pipeline))
    # Then
    assert pipeline.document()["error_code"] == "corrupt"
    assert pipeline.chunks(live=False) == []


def test_an_outage_does_not_count_as_an_attempt(pipeline: Pipeline) -> None:
    # Given
    def unavailable(*_: Any, **__: Any) -> Any:
        raise UnavailableError

    message = registered(pipeline)
    pipeline.read = unavailable
    # When
    for _ in range(MAX_ATTEMPTS + 1):
        assert not pipeline.deliver(pipeline.extract, message)
    # Then
    assert (pipeline.document()["status"], pipeline.document()["attempts"]) == ("registered", 0)
    pipeline.read = read_lines
    assert pipeline.deliver(pipeline.extract, message)
    pipeline.run()
    pipeline.assert_ready([LINE])


def test_unexpected_errors_end_the_document_after_some_attempts(pipeline: Pipeline) -> None:
    # Given
    def bug(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    message = registered(pipeline)
    pipeline.read = bug
    # When
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert pipeline.document()["status"] == "registered"
        assert not pipeline.deliver(pipeline.extract, message)
        assert pipeline.document()["attempts"] == attempt
    # Then
    document = pipeline.document()
    assert (document["status"], document["error_code"], document["retryable"]) == ("failed", "internal_error", True)
    assert pipeline.deliver(pipeline.extract, message)


def test_a_document_that_kills_its_worker_fails_after_some_attempts(pipeline: Pipeline) -> None:
    # Given
    message = registered(pipeline)
    # When
    for _ in range(MAX_ATTEMPTS):
        abandon(pipeline, message)
        pipeline.clock.advance(EXTRACT_LEASE)
    assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert (pipeline.document()["status"], pipeline.document()["error_code"]) == ("failed", "internal_error")


def test_an_outage_of_the_vector_store_is_waited_out(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", LINE)
    pipeline.vectors.failures = MAX_ATTEMPTS + 1
    # When
    for _ in range(MAX_ATTEMPTS + 2):
        pipeline.run()
    # Then
    pipeline.assert_ready([LINE])


def test_a_batch_that_cannot_be_embedded_fails_the_document(pipeline: Pipeline) -> None:
    # Given
    def bug(texts: Any) -> Any:
        raise ZeroDivisionError

    pipeline.drop("a.txt", LINE)
    pipeline.embedder.embed_documents = bug
    # When
    for _ in range(MAX_ATTEMPTS):
        assert pipeline.documents() == [] or pipeline.document()["status"] == "embedding"
        pipeline.run()
    # Then
    document = pipeline.document()
    assert (document["status"], document["stage"], document["error_code"]) == ("failed", "embed", "internal_error")
    assert pipeline.chunks(live=False) == []


def test_a_missing_object_fails_the_document(pipeline: Pipeline) -> None:
    # Given
    message = registered(pipeline)
    pipeline.objects.delete(pipeline.key("a.txt"))
    # When
    assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert (pipeline.document()["error_code"], pipeline.document()["retryable"]) == ("object_missing", True)


@pytest.mark.parametrize("text", ["", "   \n "])
def test_a_file_without_text_is_empty(pipeline: Pipeline, text: str) -> None:
    pipeline.drop("a.txt", text)
    pipeline.run()
    assert pipeline.document()["error_code"] == "empty"


def test_no_temporary_file_stays(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def look(path: Path, **_: Any) -> Any:
        seen.append(path)
        raise ZeroDivisionError

    message = registered(pipeline)
    pipeline.read = look
    # When
    pipeline.deliver(pipeline.extract, message)
    # Then
    assert seen[0].is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def fail_embedding(pipeline: Pipeline) -> dict[str, Any]:
    """Give up a generation that is to be embedded; return the message that is still under way."""
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    late: dict[str, Any] = pipeline.embed_queue.messages.popleft()
    message = EmbedMessage.parse(late)
    with pipeline.connection() as connection:
        fail_document(
            connection,
            message.document_id,
            message.generation,
            ProcessingError(),
            now=pipeline.clock.now(),
            ids=pipeline.ids,
        )
    return late


@pytest.mark.parametrize("slept", [timedelta(0), 2 * CLEANUP_LEASE], ids=["while it is claimed", "after its claim"])
@pytest.mark.parametrize("former", ["ready", "failed"])
def test_the_deletion_of_former_vectors_never_reaches_newer_ones(
    pipeline: Pipeline, former: str, slept: timedelta
) -> None:
    # Given a worker that claims the deletion, and whose document is replaced before it deletes
    delete = pipeline.vectors.delete_document
    live = []

    def replaced_before(*arguments: Any, **named: Any) -> int:
        pipeline.vectors.delete_document = delete
        pipeline.clock.advance(slept)
        pipeline.drop("a.txt", "Newest.")
        pipeline.run()
        live.append(pipeline.document()["live_generation"])
        deleted: int = delete(*arguments, **named)
        return deleted

    pipeline.drop("a.txt", LINE)
    if former == "ready":
        pipeline.run()
        pipeline.drop("a.txt", "Newer.")
    else:
        fail_embedding(pipeline)
    pipeline.vectors.delete_document = replaced_before
    # When
    pipeline.run()
    pipeline.settle()
    # Then the newest waited for nobody, and lost nothing
    assert live == [3 if former == "ready" else 2]
    pipeline.assert_ready(["Newest."])


def test_a_deletion_that_comes_late_leaves_what_went_live_meanwhile_to_the_next(pipeline: Pipeline) -> None:
    # Given a deletion that ends after another generation went live, whose own deletion was cut short
    pipeline.drop("a.txt", LINE)
    pipeline.run()
    delete = pipeline.vectors.delete_document

    def cut_short(*_: Any, **__: Any) -> int:
        raise UnavailableError

    def replaced_before(*arguments: Any, **named: Any) -> int:
        pipeline.vectors.delete_document = cut_short
        pipeline.clock.advance(timedelta(seconds=1))
        pipeline.drop("a.txt", "Third.")
        pipeline.run()
        pipeline.vectors.delete_document = delete
        deleted: int = delete(*arguments, **named)
        return deleted

    pipeline.vectors.delete_document = replaced_before
    pipeline.drop("a.txt", "Second.")
    # When
    pipeline.run()
    # Then
    document = pipeline.document()
    assert pipeline.vector_ids() == [f"{document['id']}:{generation}:0" for generation in (2, 3)]
    assert document["vector_cleanup_due"] is not None
    # And later
    pipeline.settle()
    pipeline.assert_ready(["Third."])


@pytest.mark.parametrize("newer_ends", [True, False], ids=["newer one ready", "newer one under way"])
def test_an_overtaken_batch_neither_goes_live_nor_leaves_vectors(pipeline: Pipeline, newer_ends: bool) -> None:
    # Given a batch whose generation is overtaken while its vectors are being made
    pipeline.drop("a.txt", LINE)
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    embed = pipeline.embedder.embed_documents

    def overtaken(texts: Any) -> Any:
        pipeline.embedder.embed_documents = embed
        pipeline.drop("a.txt", "Newer.")
        pipeline.deliver_events()
        pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
        if newer_ends:
            pipeline.run()
        return embed(texts)

    pipeline.embedder.embed_documents = overtaken
    # When
    pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages.popleft())
    assert pipeline.document()["status"] == ("ready" if newer_ends else "embedding")
    assert len(pipeline.vector_ids()) == (2 if newer_ends else 1)
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready(["Newer."])


def test_a_cleanup_under_way_does_not_hide_vectors_that_come_after_it(pipeline: Pipeline) -> None:
    # Given a generation that failed, and a worker that writes its vectors after they were deleted
    pipeline.drop("a.txt", LINE)
    late = fail_embedding(pipeline)
    message = EmbedMessage.parse(late)
    delete = pipeline.vectors.delete_document

    def write_after_deletion(*arguments: Any, **named: Any) -> int:
        pipeline.vectors.delete_document = delete
        deleted: int = delete(*arguments, **named)
        record = VectorRecord(
            f"{message.document_id}:1:0", [1.0], message.document_id, message.generation, pipeline.ids.new()
        )
        pipeline.vectors.upsert(message.namespace, [record])
        pipeline.deliver(pipeline.embed, late)
        return deleted

    pipeline.vectors.delete_document = write_after_deletion
    # When
    pipeline.settle()
    # Then
    assert pipeline.vectors.delete_document == delete
    assert pipeline.document()["status"] == "failed"
    assert (pipeline.vector_ids(), pipeline.document()["vector_cleanup_due"]) == ([], None)


def test_a_file_that_takes_too_long_to_read_fails(pipeline: Pipeline) -> None:
    # Given
    def crawl(*_: Any, **__: Any) -> Any:
        def blocks() -> Any:
            while True:
                pipeline.clock.advance(EXTRACT_TIME + timedelta(seconds=1))
                yield Block("Another line.")

        return FakeExtraction(blocks())

    pipeline.read = crawl
    # When
    assert pipeline.deliver(pipeline.extract, registered(pipeline))
    # Then
    assert pipeline.document()["error_code"] == "extraction_limit"
    assert pipeline.chunks(live=False) == []


def test_batches_embedded_at_the_same_time_make_the_document_live_once(
    pipeline: Pipeline, database_urls: DatabaseUrls
) -> None:
    # Given more batches than workers
    lines = [f"Line {number}." for number in range(500)]
    pipeline.drop("a.txt", "\n".join(lines))
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    messages = [EmbedMessage.parse(message) for message in pipeline.embed_queue.messages] * 2
    pipeline.embed_queue.messages.clear()

    # When
    def work(share: list[EmbedMessage]) -> None:
        database = Database(database_urls.app)
        embedder = ChunkEmbedder(database, lambda _: FakeEmbedder(), pipeline.vectors, pipeline.clock, pipeline.ids)
        for message in share:
            embedder.embed(message, receive_count=1)
        database.close()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, [messages[n::4] for n in range(4)]))
    # Then
    pipeline.assert_ready(lines)
