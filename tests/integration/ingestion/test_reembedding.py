"""A bot is embedded with another model beside the vectors that readers search."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.training import runs, times
from chatsphere.ports.embedding import EmbeddingModel
from tests.fakes import FakeEmbedder
from tests.integration.ingestion import retraining
from tests.integration.ingestion.pipeline import BEYOND_EVERY_LEASE, Pipeline
from tests.integration.ingestion.retraining import OTHER, assert_one_to_one, assert_readers_see_all
from tests.integration.ingestion.tripwire import run_killed_at, wire

LINES = [f"Line {number}." for number in range(70)]


@pytest.fixture
def trained(pipeline: Pipeline) -> Pipeline:
    """A bot of two documents, three batches, and a second model."""
    retraining.add_other_model(pipeline)
    pipeline.drop("a.txt", "\n".join(LINES))
    pipeline.drop("b.txt", "Something else.")
    pipeline.run()
    return pipeline


def test_the_first_document_chooses_the_deployments_model(pipeline: Pipeline) -> None:
    assert retraining.embedding(pipeline).model is None

    pipeline.drop("a.txt", "One.\nTwo.")
    pipeline.run()

    assert retraining.embedding(pipeline).model == "fake"
    assert retraining.embedding(pipeline).namespace.dimensions == 16
    assert_one_to_one(pipeline, "fake")


def test_an_estimate_says_what_it_would_take(trained: Pipeline) -> None:
    with trained.connection() as connection:
        estimate = runs.estimate(connection, trained.tenant.bot_id, OTHER)

    assert (estimate.documents, estimate.chunks, estimate.batches) == (2, 71, 3)
    assert (estimate.tokens, estimate.cost_microdollars) == (142, 142)
    assert (estimate.from_model, estimate.to_model) == ("fake", "other")


def test_a_run_switches_readers_over_and_deletes_the_former_vectors(trained: Pipeline) -> None:
    message = retraining.start(trained)
    assert retraining.run_of(trained, message)["total_batches"] == 3

    trained.run()

    assert_one_to_one(trained, "other")
    run = retraining.run_of(trained, message)
    assert (run["status"], run["done_batches"], run["total_batches"]) == ("succeeded", 3, 3)
    assert (run["chunk_count"], run["token_count"], run["cost_microdollars"]) == (71, 142, 142)
    assert (run["document_count"], run["former_model"], run["embedding_model"]) == (2, "fake", "other")
    assert retraining.usage(trained)[-1] == (142, 142)
    assert retraining.revisions_of_batches(trained) == {1}


def test_the_same_model_makes_lost_vectors_anew(trained: Pipeline) -> None:
    trained.vectors.records.clear()
    retraining.start(trained, EmbeddingModel("fake", 16, 0, is_default=True))

    trained.run()

    assert_one_to_one(trained, "fake")


def test_new_documents_are_embedded_by_the_new_model(trained: Pipeline) -> None:
    retraining.start(trained)
    trained.run()

    trained.drop("c.txt", "Third.")
    trained.drop("a.txt", "Replaced.")
    trained.run()
    trained.settle()

    assert sorted(trained.chunks()) == ["Replaced.", "Something else.", "Third."]
    assert_one_to_one(trained, "other")


def test_a_second_run_waits_for_the_first(trained: Pipeline) -> None:
    message = retraining.start(trained)

    with pytest.raises(runs.TrainingInProgressError):
        retraining.start(trained)

    retraining.cancel(trained, message)


def test_runs_one_after_the_other_use_no_revision_twice(trained: Pipeline) -> None:
    message = retraining.start(trained)
    retraining.cancel(trained, message)
    trained.run()
    retraining.start(trained)
    trained.run()

    assert retraining.embedding(trained).namespace.revision == 2
    assert_one_to_one(trained, "other")


def test_a_cancelled_run_leaves_nothing(trained: Pipeline) -> None:
    message = retraining.start(trained)
    # Given one batch of it is done
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    assert retraining.run_of(trained, message)["done_batches"] == 1

    run = retraining.cancel(trained, message)
    trained.run()

    assert (run["status"], run["done_batches"]) == ("cancelled", 1)
    assert_one_to_one(trained, "fake")
    assert retraining.revisions_of_batches(trained) == {0}
    with pytest.raises(runs.TrainingEndedError):
        retraining.cancel(trained, message)


def test_a_batch_that_comes_to_an_end_after_the_cancellation_leaves_nothing(trained: Pipeline) -> None:
    message = retraining.start(trained)
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    upsert = trained.vectors.upsert

    def cancelled_meanwhile(*arguments: Any) -> None:
        upsert(*arguments)
        trained.vectors.upsert = upsert
        retraining.cancel(trained, message)
        # The cancellation's own deletion, before this batch is noted.
        upsert(*arguments)

    trained.vectors.upsert = cancelled_meanwhile
    trained.run()

    assert_one_to_one(trained, "fake")


def test_a_second_look_finds_what_was_written_late(trained: Pipeline) -> None:
    message = retraining.start(trained)
    former = retraining.embedding(trained).namespace
    records = list(trained.vectors.records[former].values())
    trained.run()
    # Given a worker that wrote and died after the deletion
    trained.vectors.upsert(former, records[:3])

    trained.settle()

    assert_one_to_one(trained, "other")
    assert not retraining.is_waiting(trained, message)


def test_documents_that_change_while_it_runs(trained: Pipeline) -> None:
    retraining.start(trained)
    # Given the run's batches are sent, and wait
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    waiting = list(trained.embed_queue.messages)
    trained.embed_queue.messages.clear()
    # When one document is replaced, one deleted, one new
    trained.drop("a.txt", "Replaced.\nTwice.")
    trained.objects.remove(trained.key("b.txt"))
    trained.drop("c.txt", "New.")
    trained.run()
    assert sorted(trained.chunks()) == ["New.", "Replaced.", "Twice."]
    assert_readers_see_all(trained)
    trained.embed_queue.messages.extend(waiting)
    trained.run()
    trained.settle()
    # Then
    assert sorted(trained.chunks()) == ["New.", "Replaced.", "Twice."]
    assert_one_to_one(trained, "other")


def test_a_bot_that_changes_all_the_time_is_done_nevertheless(trained: Pipeline) -> None:
    message = retraining.start(trained)
    for number in range(20):
        # A document comes and one is replaced for each message of the queue that is worked off.
        trained.drop(f"new-{number}.txt", f"New {number}.")
        trained.drop("b.txt", f"Something else {number}.")
        trained.deliver_events()
        while trained.extract_queue.messages:
            trained.deliver(trained.extract, trained.extract_queue.messages.popleft())
        trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
        assert_readers_see_all(trained)
        if retraining.run_of(trained, message)["status"] == "succeeded":
            break
    assert retraining.run_of(trained, message)["status"] == "succeeded"
    trained.run()
    trained.settle()
    assert_one_to_one(trained, "other")


def test_a_document_begun_before_the_run_and_ready_after_it(pipeline: Pipeline) -> None:
    # Given a document with one of two batches embedded
    retraining.add_other_model(pipeline)
    pipeline.drop("c.txt", "\n".join(LINES))
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    pipeline.deliver(pipeline.embed, pipeline.embed_queue.messages.popleft())
    second = pipeline.embed_queue.messages.popleft()
    # When the bot is switched
    retraining.start(pipeline)
    pipeline.run()
    assert retraining.embedding(pipeline).model == "other"
    pipeline.embed_queue.messages.append(second)
    pipeline.run()
    # Then
    assert len(pipeline.chunks()) == 70
    assert_one_to_one(pipeline, "other")


def test_a_switch_while_a_document_is_about_to_go_live(trained: Pipeline) -> None:
    message = retraining.start(trained)
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    run_batches = list(trained.embed_queue.messages)
    trained.embed_queue.messages.clear()
    # Given a worker that knows of no run yet
    trained.drop("c.txt", "Third.")
    trained.deliver_events()
    trained.deliver(trained.extract, trained.extract_queue.messages.popleft())
    (ingested,) = trained.embed_queue.messages
    trained.embed_queue.messages.clear()
    upsert = trained.vectors.upsert

    def switched_meanwhile(*arguments: Any) -> None:
        upsert(*arguments)
        trained.vectors.upsert = upsert
        for batch in run_batches:
            trained.deliver(trained.embed, batch)
        assert retraining.run_of(trained, message)["status"] == "succeeded"

    trained.vectors.upsert = switched_meanwhile
    # When
    assert trained.deliver(trained.embed, ingested)
    # Then it went live at the new revision
    assert len(trained.chunks()) == 72
    assert_readers_see_all(trained)
    trained.run()
    trained.settle()
    assert_one_to_one(trained, "other")


def test_a_deleted_bot_leaves_vectors_at_no_revision(trained: Pipeline) -> None:
    retraining.start(trained)
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    with trained.connection() as connection:
        connection.execute("UPDATE bots SET status = 'deleting' WHERE id = %s", (trained.tenant.bot_id,))
    tenant = trained.tenant
    purge = PurgeMessage(organization_id=tenant.organization_id, bot_id=tenant.bot_id)
    trained.purge_queue.send([purge.to_json()], group=purge.group)

    trained.run()
    trained.settle()

    assert trained.bot_status() is None
    filled = [place for place, records in trained.vectors.records.items() if records]
    assert [place for place in filled if place.bot_id == tenant.bot_id] == []


class Broken(FakeEmbedder):
    """A model that fails in one way."""

    def __init__(self, error: Exception) -> None:
        super().__init__(OTHER.dimensions, model=OTHER.name, price=1)
        self.error = error

    def embed_documents(self, _texts: Any) -> Any:
        raise self.error


def test_a_model_that_does_not_answer_for_a_while(trained: Pipeline) -> None:
    message, other = retraining.start(trained), trained.further_embedders["other"]
    trained.further_embedders["other"] = Broken(UnavailableError("down"))
    trained.run()
    trained.embed_queue.messages.clear()
    trained.settle()
    assert_readers_see_all(trained)
    # When
    trained.further_embedders["other"] = other
    trained.settle()
    # Then
    assert retraining.run_of(trained, message)["status"] == "succeeded"
    assert_one_to_one(trained, "other")


def test_a_model_that_never_answers_ends_the_run_in_the_published_time(trained: Pipeline) -> None:
    message = retraining.start(trained)
    trained.further_embedders["other"] = Broken(UnavailableError("down"))
    for _ in range(times.MAX_ATTEMPTS + 1):
        trained.embed_queue.messages.clear()
        trained.clock.advance(timedelta(minutes=6))
        trained.reap()
    trained.run()

    run = retraining.run_of(trained, message)
    assert (run["status"], run["error_code"]) == ("failed", "training_stalled")
    assert_one_to_one(trained, "fake")


def test_a_model_that_refuses_ends_the_run(trained: Pipeline) -> None:
    message = retraining.start(trained)
    trained.further_embedders["other"] = Broken(ProviderRejectedError("no"))
    for _ in range(5):
        trained.run()

    run = retraining.run_of(trained, message)
    assert (run["status"], run["error_code"]) == ("failed", "provider_rejected")
    assert retraining.logged_errors(trained, "training") == ["provider_rejected"]
    trained.run()
    assert_one_to_one(trained, "fake")


def test_ingestion_does_not_wait_for_the_second_model(trained: Pipeline) -> None:
    retraining.start(trained)
    other, trained.further_embedders["other"] = trained.further_embedders["other"], Broken(UnavailableError("down"))
    trained.drop("c.txt", "Third.")
    trained.run()
    assert "Third." in trained.chunks()
    trained.further_embedders["other"] = other
    trained.settle()
    assert_one_to_one(trained, "other")


def test_a_bot_whose_model_was_taken_away(trained: Pipeline) -> None:
    retraining.start(trained)
    trained.run()
    del trained.further_embedders["other"]

    trained.drop("c.txt", "Third.")
    trained.run()

    (failed,) = [row for row in trained.documents() if row["status"] == "failed"]
    assert (failed["error_code"], failed["retryable"]) == ("embedding_model_unavailable", True)
    assert retraining.find(trained, "anything") == []


@pytest.mark.parametrize("lost", [False, True], ids=["redelivered", "messages lost"])
def test_a_run_survives_a_worker_killed_at_any_step(make_pipeline: Callable[[], Pipeline], lost: bool) -> None:
    for fatal in range(1, 200):
        pipeline = make_pipeline()
        retraining.add_other_model(pipeline)
        pipeline.drop("a.txt", "One.")
        pipeline.drop("b.txt", "Two.")
        pipeline.run()
        message = retraining.start(pipeline)
        pipeline_wire = wire(pipeline)
        if not run_killed_at(pipeline, pipeline_wire, fatal):
            assert fatal > 15
            return
        # Then readers search one revision, whole
        assert_readers_see_all(pipeline)
        if lost:
            pipeline.embed_queue.messages.clear()
        while retraining.is_waiting(pipeline, message):
            pipeline.clock.advance(BEYOND_EVERY_LEASE)
            pipeline.reap()
            pipeline.run()
        assert retraining.run_of(pipeline, message)["status"] == "succeeded"
        assert_one_to_one(pipeline, "other")


def test_a_batch_follows_a_switch_that_happens_while_it_is_embedded(trained: Pipeline) -> None:
    # Given a run that begins and ends meanwhile
    trained.drop("c.txt", "\n".join(LINES))
    trained.deliver_events()
    trained.deliver(trained.extract, trained.extract_queue.messages.popleft())
    first, second = trained.embed_queue.messages
    trained.embed_queue.messages.clear()
    upsert = trained.vectors.upsert

    def switched_meanwhile(*arguments: Any) -> None:
        trained.vectors.upsert = upsert
        upsert(*arguments)
        retraining.start(trained)
        trained.run()

    trained.vectors.upsert = switched_meanwhile
    # When
    assert trained.deliver(trained.embed, first)
    assert trained.deliver(trained.embed, second)
    # Then it is whole, without anybody who looks after it
    assert {row["status"] for row in trained.documents()} == {"ready"}
    trained.settle()
    assert_one_to_one(trained, "other")


@pytest.mark.parametrize("lost", [False, True], ids=["delivered", "messages lost"])
def test_early_batches_of_a_document_that_is_still_read_follow_the_switch(trained: Pipeline, lost: bool) -> None:
    # Given a document of three batches, of which one is embedded while the others are yet to be read
    trained.part_time = timedelta(0)
    trained.drop("c.txt", "\n".join((LINES * 2)[:129]))
    trained.deliver_events()
    reading = trained.extract_queue.messages.popleft()
    for _ in range(2):
        assert trained.deliver(trained.extract, reading)
    trained.extract_queue.messages.clear()
    assert trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    # When the bot is switched before the reading ends
    run = retraining.start(trained)
    while retraining.run_of(trained, run)["status"] == "running":
        assert trained.deliver(trained.embed, trained.embed_queue.messages.popleft())
    if lost:
        trained.embed_queue.messages.clear()
    trained.extract_queue.messages.append(reading)
    trained.run()
    # Then it does not go live with vectors missing, and the reaper needs to come only where messages were lost
    assert {row["status"] for row in trained.documents()} == ({"ready", "embedding"} if lost else {"ready"})
    trained.settle()
    assert {row["status"] for row in trained.documents()} == {"ready"}
    assert_one_to_one(trained, "other")
