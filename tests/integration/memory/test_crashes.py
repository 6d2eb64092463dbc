"""A worker is killed at every single step; whatever the step, memory ends as if nothing had happened."""

from collections.abc import Callable
from itertools import count

from tests.integration.ingestion import retraining
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.ingestion.tripwire import run_killed_at, wire
from tests.integration.memory import talking


def everything_at_once(pipeline: Pipeline) -> None:
    """A bot that remembers, and was given another model; one conversation goes, another goes on."""
    other = retraining.add_other_model(pipeline)
    doomed, kept = talking.say(pipeline, "Doomed", "Gone"), talking.say(pipeline, "Kept")
    talking.remember(pipeline)
    talking.switch_model(pipeline, "other", other.dimensions)
    talking.delete(pipeline, doomed)
    talking.say(pipeline, "New", "Fresh", conversation=kept)
    talking.ask_to_remember(pipeline)


def test_memory_survives(make_pipeline: Callable[[], Pipeline]) -> None:
    for fatal in count(1):
        # Given
        pipeline = make_pipeline()
        everything_at_once(pipeline)
        # When
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > 15
            return
        # By turns the messages are delivered again, or lost: what comes before and after a call is two steps.
        if fatal // 2 % 2:
            pipeline.embed_queue.messages.clear()
            pipeline.purge_queue.messages.clear()
        talking.let_time_pass(pipeline)
        # Then
        talking.assert_one_to_one(pipeline, "other")
