"""A large document is read in parts, one after the other, and comes out as if it had been read in one go."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chatsphere.errors import CorruptDocumentError
from chatsphere.knowledge.ingestion import parts
from chatsphere.knowledge.ingestion.times import DEADLINE, MAX_ATTEMPTS, PART_TIME, TIME_PER_CHUNK
from chatsphere.knowledge.retrieval import lexical_index
from chatsphere.knowledge.retrieval.lexical import analyse
from tests.integration.ingestion.pipeline import Pipeline, WorkerKilled, read_lines

LINES = [f"Line number {number}." for number in range(150)]
EACH_BATCH = timedelta(0)


@pytest.fixture
def pipeline(make_pipeline: Callable[[], Pipeline]) -> Pipeline:
    """One tenant's ingestion, in which every batch is a part."""
    pipeline = make_pipeline()
    pipeline.part_time = EACH_BATCH
    return pipeline


def registered(pipeline: Pipeline, lines: list[str] = LINES) -> dict[str, Any]:
    pipeline.drop("a.txt", "\n".join(lines))
    pipeline.deliver_events()
    message: dict[str, Any] = pipeline.extract_queue.messages.popleft()
    return message


def bookmark(pipeline: Pipeline) -> dict[str, Any] | None:
    with pipeline.connection() as connection:
        return connection.execute("SELECT * FROM extraction_bookmarks").fetchone()


def rows(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The chunks without what is new in each run."""
    query = """
        SELECT batch, ordinal, content, heading_path, page_start, page_end, char_start, char_end, token_count
        FROM chunks WHERE bot_id = %s ORDER BY ordinal"""
    with pipeline.connection() as connection:
        return connection.execute(query, (pipeline.tenant.bot_id,)).fetchall()


def test_parts_make_the_same_chunks_as_one_go(make_pipeline: Callable[[], Pipeline]) -> None:
    # Given
    whole, parted = make_pipeline(), make_pipeline()
    parted.part_time = EACH_BATCH
    # When
    for pipeline in (whole, parted):
        pipeline.drop("a.txt", "\n".join(LINES))
        pipeline.run()
    # Then
    assert len(parted.extract_queue.groups) == 1 + 3
    assert rows(parted) == rows(whole)
    parted.assert_ready(LINES)
    assert bookmark(parted) is None


def test_between_two_parts_nobody_holds_the_document(pipeline: Pipeline) -> None:
    # When
    assert pipeline.deliver(pipeline.extract, registered(pipeline))
    # Then
    document, found = pipeline.document(), bookmark(pipeline)
    assert (document["status"], document["stage"], document["attempts"]) == ("extracting", "extract", 0)
    assert document["lease_token"] is None
    assert found is not None
    assert (found["chunk_count"], found["batch_count"], found["pages_read"]) == (64, 1, 1)
    assert len(pipeline.extract_queue.messages) == 1


def test_batches_are_embedded_while_the_document_is_read(pipeline: Pipeline) -> None:
    # Given two parts of three
    message = registered(pipeline)
    for _ in range(2):
        assert pipeline.deliver(pipeline.extract, message)
    (batch,) = pipeline.embed_queue.messages
    # When
    assert pipeline.deliver(pipeline.embed, batch)
    # Then the last batch waits for the end, and nothing is seen yet
    assert len(pipeline.vector_ids()) == 64
    assert (pipeline.document()["status"], pipeline.chunks(live=True)) == ("extracting", [])
    pipeline.run()
    pipeline.assert_ready(LINES)


def test_each_chunk_adds_to_the_deadline(pipeline: Pipeline) -> None:
    # Given
    message = registered(pipeline)
    registered_at = pipeline.clock.now()
    # When
    assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert pipeline.document()["deadline_at"] == registered_at + DEADLINE + 64 * TIME_PER_CHUNK


def test_a_part_ends_when_its_time_is_over(pipeline: Pipeline) -> None:
    # Given a reader that needs a fifth of a part's time for a batch
    pipeline.part_time = PART_TIME
    read = read_lines

    def read_slowly(*arguments: Any, **named: Any) -> Any:
        extraction = read(*arguments, **named)
        extraction.blocks = _slow(pipeline, extraction.blocks)
        return extraction

    pipeline.read = read_slowly
    # When
    assert pipeline.deliver(pipeline.extract, registered(pipeline, [f"Line {n}." for n in range(64 * 8)]))
    # Then
    found = bookmark(pipeline)
    assert found is not None
    assert found["batch_count"] == 6


def _slow(pipeline: Pipeline, blocks: Any) -> Any:
    for block in blocks:
        pipeline.clock.advance(PART_TIME / 5 / 64)
        yield block


def test_a_second_message_for_a_document_that_is_read_is_dropped(pipeline: Pipeline) -> None:
    # Given a worker that is at it while the same message comes once more, for the first time and again
    message = registered(pipeline)
    outcomes: list[bool] = []

    def read(*arguments: Any, **named: Any) -> Any:
        pipeline.read = read_lines
        pipeline.receive_counts[json.dumps(["extract", message])] = 0
        outcomes.extend(pipeline.deliver(pipeline.extract, message) for _ in range(2))
        return read_lines(*arguments, **named)

    pipeline.read = read
    # When
    pipeline.deliver(pipeline.extract, message)
    # Then
    assert outcomes == [True, False]


def test_progress_starts_the_attempts_anew(pipeline: Pipeline) -> None:
    # Given a worker that dies in every part, after its batch
    message = registered(pipeline, [f"Line {n}." for n in range(64 * (MAX_ATTEMPTS + 2))])

    def die_later(*arguments: Any, **named: Any) -> Any:
        extraction = read_lines(*arguments, **named)
        extraction.blocks = _dying(extraction.blocks)
        return extraction

    pipeline.read, pipeline.part_time = die_later, PART_TIME
    # When
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(WorkerKilled):
            pipeline.deliver(pipeline.extract, message)
        pipeline.clock.advance(timedelta(minutes=1))
    # Then
    found = bookmark(pipeline)
    assert found is not None
    assert found["batch_count"] == MAX_ATTEMPTS + 1
    assert pipeline.document()["attempts"] == 1


def _dying(blocks: Any) -> Any:
    for number, block in enumerate(blocks):
        if number == 65:
            raise WorkerKilled
        yield block


def test_another_object_is_not_read_on_from_the_bookmark(pipeline: Pipeline) -> None:
    # Given an unversioned bucket, in which the object is replaced between two parts
    pipeline.use_bucket(versioned=False)
    message = registered(pipeline)
    assert pipeline.deliver(pipeline.extract, message)
    pipeline.drop("a.txt", "Another text.")
    # When
    assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert (pipeline.document()["status"], pipeline.document()["error_code"]) == ("failed", "object_missing")
    assert (pipeline.chunks(live=False), bookmark(pipeline)) == ([], None)
    pipeline.settle()
    pipeline.assert_ready(["Another text."])


@pytest.mark.parametrize("end", ["fails", "is replaced"])
def test_vectors_of_early_batches_do_not_stay(pipeline: Pipeline, end: str) -> None:
    # Given a document of which one batch is embedded
    message = registered(pipeline)
    for _ in range(2):
        assert pipeline.deliver(pipeline.extract, message)
    assert pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages.popleft())
    # When
    if end == "fails":

        def refuse(*_: Any, **__: Any) -> Any:
            raise CorruptDocumentError

        pipeline.read = refuse
        assert pipeline.deliver(pipeline.extract, message)
        pipeline.settle()
        # Then
        assert pipeline.document()["status"] == "failed"
        assert pipeline.vector_ids() == []
    else:
        pipeline.drop("a.txt", "Newer.")
        pipeline.settle()
        # Then
        pipeline.assert_ready(["Newer."])


def test_what_is_indexed_ahead_is_not_seen_before_the_switch(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given segments of 64 chunks
    monkeypatch.setattr(parts, "SEGMENT_CHUNKS", 64)
    monkeypatch.setattr(lexical_index, "SEGMENT_CHUNKS", 64)
    message = registered(pipeline)
    for _ in range(3):
        assert pipeline.deliver(pipeline.extract, message)
    # Then
    assert len(pipeline.indexed()) == 128
    with pipeline.connection() as connection:
        assert analyse(connection, pipeline.tenant.bot_id, "line").chunk_count == 0
    # When
    pipeline.run()
    # Then
    pipeline.assert_ready(LINES)
    with pipeline.connection() as connection:
        question = analyse(connection, pipeline.tenant.bot_id, "line")
    assert (question.chunk_count, question.terms[0].document_frequency) == (150, 150)


def test_what_is_indexed_ahead_goes_with_its_generation(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr(parts, "SEGMENT_CHUNKS", 64)
    monkeypatch.setattr(lexical_index, "SEGMENT_CHUNKS", 64)
    assert pipeline.deliver(pipeline.extract, registered(pipeline))
    # When
    pipeline.drop("a.txt", "Newer.")
    pipeline.settle()
    # Then
    pipeline.assert_ready(["Newer."])
    with pipeline.connection() as connection:
        (found,) = connection.execute("SELECT count(*) AS segments FROM lexical_segments").fetchall()
    assert found["segments"] == 1


def test_pages_that_take_long_are_kept_before_a_batch_is_full(make_pipeline: Callable[[], Pipeline]) -> None:
    # Given
    pipeline, lines = make_pipeline(), LINES[:40]

    def slowly(*arguments: Any, **options: Any) -> Any:
        extraction = read_lines(*arguments, **options)
        extraction.blocks = (_after(pipeline, block) for block in extraction.blocks)
        return extraction

    pipeline.read = slowly
    pipeline.drop("scan.txt", "\n".join(lines))
    # When
    pipeline.run()
    # Then
    pipeline.assert_ready(lines)
    assert len(pipeline.extract_queue.groups) > 2


def _after(pipeline: Pipeline, block: Any) -> Any:
    """OCR needs this long for a page."""
    pipeline.clock.advance(timedelta(seconds=20))
    return block
