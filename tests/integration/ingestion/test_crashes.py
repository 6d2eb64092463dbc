"""A worker is killed at every single step; whatever the step, the document ends as if nothing had happened."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count

import pytest

from chatsphere.knowledge.ingestion.times import EXTRACT_LEASE
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.ingestion.tripwire import run_killed_at, wire

# More than one batch, so that batches can be interrupted between each other.
LINES = [f"Line {number}." for number in range(70)]
OLD_LINES = [f"Former line {number}." for number in range(3)]

MakePipeline = Callable[[], Pipeline]


def killed_at_each_step(make_pipeline: MakePipeline, prepare: Callable[[Pipeline], None]) -> Iterator[Pipeline]:
    """Yield a pipeline for each step, its worker killed there; its queues still hold what was not worked off.

    One after the other: the reaper of one would find the other's documents, but not its objects.
    """
    for fatal in count(1):
        pipeline = make_pipeline()
        prepare(pipeline)
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > 5
            return
        yield pipeline


def lose_messages(pipeline: Pipeline) -> None:
    """What the machine's queues held is gone with it; only the notification of the bucket comes again."""
    for queue in (pipeline.extract_queue, pipeline.embed_queue, pipeline.purge_queue):
        queue.messages.clear()


def redeliver(pipeline: Pipeline) -> None:
    """Nobody but the killed worker's own message brings its work back: the reaper may come once in hours."""
    for _ in range(3):
        pipeline.clock.advance(EXTRACT_LEASE)
        pipeline.run()


@pytest.mark.parametrize("lost", [False, True], ids=["redelivered", "messages lost"])
def test_a_new_document_survives(make_pipeline: MakePipeline, lost: bool) -> None:
    # Given a document that is read in parts of one batch each
    def prepare(pipeline: Pipeline) -> None:
        pipeline.part_time = timedelta(0)
        pipeline.drop("a.txt", "\n".join(LINES))

    killed = killed_at_each_step(make_pipeline, prepare)
    for pipeline in killed:
        # When
        if lost:
            lose_messages(pipeline)
            pipeline.settle()
        else:
            redeliver(pipeline)
        # Then
        pipeline.assert_ready(LINES)
        assert pipeline.document()["live_generation"] == 1


@pytest.mark.parametrize("lost", [False, True], ids=["redelivered", "messages lost"])
def test_a_replacement_survives(make_pipeline: MakePipeline, lost: bool) -> None:
    # Given
    def prepare(pipeline: Pipeline) -> None:
        pipeline.drop("a.txt", "\n".join(OLD_LINES))
        pipeline.run()
        pipeline.drop("a.txt", "\n".join(LINES))

    killed = killed_at_each_step(make_pipeline, prepare)
    for pipeline in killed:
        # Then a reader sees the former or the new content, whole
        assert pipeline.chunks() in (OLD_LINES, LINES)
        assert pipeline.indexed() == pipeline.chunks()
        if lost:
            lose_messages(pipeline)
        # When
        pipeline.settle()
        # Then
        pipeline.assert_ready(LINES)
        assert pipeline.document()["live_generation"] == 2


def test_a_removal_survives(make_pipeline: MakePipeline) -> None:
    # Given
    def prepare(pipeline: Pipeline) -> None:
        pipeline.drop("a.txt", "\n".join(OLD_LINES))
        pipeline.run()
        pipeline.objects.remove(pipeline.key("a.txt"))

    killed = killed_at_each_step(make_pipeline, prepare)
    for pipeline in killed:
        # When
        pipeline.settle()
        # Then
        assert pipeline.documents() == []
        assert (pipeline.vector_ids(), pipeline.indexed(), pipeline.bot_status()) == ([], [], "draft")


def test_a_refused_object_stays_refused_and_is_deleted(make_pipeline: MakePipeline) -> None:
    # Given
    killed = killed_at_each_step(make_pipeline, lambda p: p.drop("a.txt", "x" * 20_000))
    for pipeline in killed:
        # When
        pipeline.settle()
        # Then
        document = pipeline.document()
        assert (document["status"], document["error_code"]) == ("failed", "too_large")
        assert pipeline.objects.head(pipeline.key("a.txt")) is None
