"""Every message is embedded once, whatever happens on the way."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from chatsphere.chat.memory.keeping import BATCH
from chatsphere.errors import ProviderRejectedError, UnavailableError
from chatsphere.knowledge.ingestion.receipts import find_receipt
from chatsphere.ports.embedding import Vector
from chatsphere.ports.vectors import Namespace
from tests.fakes import FakeEmbedder
from tests.integration.ingestion import retraining
from tests.integration.ingestion.pipeline import Pipeline
from tests.integration.memory import talking
from tests.integration.memory.talking import assert_one_to_one, let_time_pass, remember, rows, say, texts_of


def test_messages_are_embedded_after_an_answer(pipeline: Pipeline) -> None:
    conversation = say(pipeline, "How warm is it?", "Warm enough.", end_user="ada")
    say(pipeline, "And now?", "", " \n", conversation=conversation)

    remember(pipeline)

    assert texts_of(pipeline) == ["And now?", "How warm is it?", "Warm enough."]
    place = talking.place(pipeline)
    assert place is not None
    assert (place.model, place.namespace.revision, place.namespace.dimensions) == ("fake", 1, 16)
    kept = pipeline.messages.records[place.namespace].values()
    assert {(r.conversation_id, r.end_user_id) for r in kept} == {(conversation, "ada")}
    assert sorted(r.role for r in kept) == ["assistant", "user", "user"]
    assert rows(pipeline, "memory_pending") == []


def test_a_text_that_is_changed_is_embedded_again(pipeline: Pipeline) -> None:
    say(pipeline, "Partial")
    remember(pipeline)
    with pipeline.connection() as connection:
        connection.execute("UPDATE messages SET content = 'Whole' WHERE bot_id = %s", (pipeline.tenant.bot_id,))

    remember(pipeline)

    assert pipeline.embedder.texts == ["Partial", "Whole"]
    assert_one_to_one(pipeline)


def test_a_second_delivery_embeds_nothing_again(pipeline: Pipeline) -> None:
    say(pipeline, "One", "Two")
    talking.ask_to_remember(pipeline)
    talking.ask_to_remember(pipeline)

    pipeline.run()

    assert sorted(pipeline.embedder.texts) == ["One", "Two"]
    assert_one_to_one(pipeline)


def test_a_lost_message_is_made_up_for(pipeline: Pipeline) -> None:
    say(pipeline, "One", "Two")

    pipeline.settle()

    assert_one_to_one(pipeline)


def test_what_it_takes_is_counted_once(pipeline: Pipeline) -> None:
    pipeline.embedder = FakeEmbedder(price=3)
    say(pipeline, "One two three", "Four")

    remember(pipeline)
    pipeline.settle()

    (event,) = [row for row in rows(pipeline, "usage_events") if row["metric"] == "embedding"]
    assert (event["value"], event["cost_microdollars"]) == (4, 12)
    with pipeline.connection() as connection:
        spent = connection.execute("SELECT messages, tokens, cost_microdollars FROM budget_periods").fetchall()
    assert [tuple(row.values()) for row in spent] == [(0, 4, 12)]


def test_more_than_a_batch_is_embedded_batch_by_batch(pipeline: Pipeline) -> None:
    say(pipeline, *(f"Message {number}" for number in range(2 * BATCH + 3)))

    remember(pipeline)

    assert_one_to_one(pipeline)


def test_what_was_said_before_there_was_a_memory_is_taken_in(pipeline: Pipeline) -> None:
    # Given conversations from before, of which nothing is pending
    for number in range(45):
        say(pipeline, f"Question {number}", f"Answer {number}")
    with pipeline.connection() as connection:
        connection.execute("DELETE FROM memory_pending")

    say(pipeline, "Now")
    remember(pipeline)

    assert len(texts_of(pipeline)) == 91
    assert_one_to_one(pipeline)


def test_an_outage_delays_and_loses_nothing(pipeline: Pipeline) -> None:
    say(pipeline, "One", "Two")
    pipeline.messages.failures = 2
    remember(pipeline)
    pipeline.run()
    assert len(rows(pipeline, "memory_pending")) == 2
    pipeline.embed_queue.messages.clear()

    let_time_pass(pipeline)

    assert_one_to_one(pipeline)


class PickyEmbedder(FakeEmbedder):
    """Refuses a batch with a certain word, until it is told not to."""

    refused = "unspeakable"

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        if any(self.refused in text for text in texts):
            raise ProviderRejectedError("no")
        return super().embed_documents(texts)


def test_one_message_that_a_model_refuses_does_not_keep_the_others_out(pipeline: Pipeline) -> None:
    pipeline.embedder = PickyEmbedder()
    say(pipeline, "One", "unspeakable", "Two")
    remember(pipeline)
    assert texts_of(pipeline) == []

    let_time_pass(pipeline)
    assert texts_of(pipeline) == ["One", "Two"]
    pipeline.embedder.refused = "never said"
    let_time_pass(pipeline)

    assert_one_to_one(pipeline)


def test_a_conversation_that_is_deleted_meanwhile_leaves_nothing(pipeline: Pipeline) -> None:
    doomed, kept = say(pipeline, "Doomed"), say(pipeline, "Kept")
    upsert = pipeline.messages.upsert

    def delete_first(namespace: Namespace, records: list[object]) -> None:
        # Its deletion is over before the vectors are written.
        talking.delete(pipeline, doomed, send=False)
        upsert(namespace, records)

    pipeline.messages.upsert = delete_first
    remember(pipeline)

    assert texts_of(pipeline) == ["Kept"]
    assert len(talking.everything(pipeline)) == 1
    assert [row["conversation_id"] for row in rows(pipeline, "messages")] == [kept]


def test_a_bot_that_is_embedded_anew_is_remembered_anew(pipeline: Pipeline) -> None:
    other = retraining.add_other_model(pipeline)
    say(pipeline, "One", "Two")
    remember(pipeline)
    talking.switch_model(pipeline, "other", other.dimensions)

    let_time_pass(pipeline)

    assert_one_to_one(pipeline, "other")
    place = talking.place(pipeline)
    assert place is not None
    assert (place.namespace.revision, place.namespace.dimensions) == (2, other.dimensions)
    assert {len(record.values) for record in pipeline.messages.records[place.namespace].values()} == {24}


def test_a_switch_between_embedding_and_its_end_mixes_no_models(pipeline: Pipeline) -> None:
    other = retraining.add_other_model(pipeline)
    say(pipeline, "One", "Two")
    upsert = pipeline.messages.upsert

    def switched_meanwhile(namespace: Namespace, records: list[object]) -> None:
        pipeline.messages.upsert = upsert
        upsert(namespace, records)
        talking.switch_model(pipeline, "other", other.dimensions)
        remember(pipeline)

    pipeline.messages.upsert = switched_meanwhile
    remember(pipeline)
    let_time_pass(pipeline)

    assert_one_to_one(pipeline, "other")


def test_a_model_that_is_not_there_is_waited_for(pipeline: Pipeline) -> None:
    talking.switch_model(pipeline, "other", 24)
    say(pipeline, "One")
    remember(pipeline)
    assert pipeline.embed_queue.messages == type(pipeline.embed_queue.messages)()
    assert len(rows(pipeline, "memory_pending")) == 1

    retraining.add_other_model(pipeline)
    let_time_pass(pipeline)

    assert_one_to_one(pipeline, "other")


def test_switched_off_it_holds_nothing_and_switched_on_everything(pipeline: Pipeline) -> None:
    say(pipeline, "One", "Two")
    remember(pipeline)
    talking.configure(pipeline, memory=False)

    pipeline.settle()
    say(pipeline, "Three")
    remember(pipeline)

    assert talking.everything(pipeline) == []
    assert rows(pipeline, "memory_pending") == []
    let_time_pass(pipeline)
    assert rows(pipeline, "memory_deletions") == []

    talking.configure(pipeline, memory=True)
    let_time_pass(pipeline)
    say(pipeline, "Four")
    remember(pipeline)

    assert texts_of(pipeline) == ["Four", "One", "Three", "Two"]
    assert_one_to_one(pipeline)


def test_a_deleted_conversation_is_forgotten_and_looked_for_again(pipeline: Pipeline) -> None:
    doomed = say(pipeline, "Doomed", "Gone")
    say(pipeline, "Kept")
    remember(pipeline)
    place = talking.place(pipeline)
    assert place is not None
    late = next(r for r in pipeline.messages.records[place.namespace].values() if r.conversation_id == doomed)

    talking.delete(pipeline, doomed)
    pipeline.run()

    assert texts_of(pipeline) == ["Kept"]
    # What a store shows only later is found by the second look.
    pipeline.messages.records[place.namespace][late.message_id] = late
    pipeline.clock.advance(timedelta(minutes=20))
    pipeline.reap()
    pipeline.run()
    assert_one_to_one(pipeline)


def test_a_deletion_whose_message_was_lost_or_whose_store_failed_is_made_up_for(pipeline: Pipeline) -> None:
    doomed = say(pipeline, "Doomed")
    remember(pipeline)
    talking.delete(pipeline, doomed, send=False)
    pipeline.messages.failures = 1

    let_time_pass(pipeline)

    assert talking.everything(pipeline) == []
    assert rows(pipeline, "memory_deletions") == []


def test_switching_back_and_forth_leaves_one_memory(pipeline: Pipeline) -> None:
    other = retraining.add_other_model(pipeline)
    say(pipeline, "One")
    for model, dimensions in (("other", other.dimensions), ("fake", 16), ("other", other.dimensions)):
        remember(pipeline)
        talking.switch_model(pipeline, model, dimensions)
    let_time_pass(pipeline)

    assert_one_to_one(pipeline, "other")


@pytest.mark.parametrize("failing", ["embedder", "store"])
def test_a_failure_is_an_error_of_the_message(pipeline: Pipeline, failing: str) -> None:
    say(pipeline, "One")

    def unavailable(*_: object) -> None:
        raise UnavailableError

    if failing == "embedder":
        pipeline.embedder.embed_documents = unavailable
    else:
        pipeline.messages.upsert = unavailable

    remember(pipeline)

    assert len(pipeline.embed_queue.messages) == 1


def test_a_bots_deletion_counts_its_memory_and_looks_for_it_again(pipeline: Pipeline) -> None:
    other = retraining.add_other_model(pipeline)
    say(pipeline, "One", "Two")
    remember(pipeline)
    talking.switch_model(pipeline, "other", other.dimensions)
    remember(pipeline)
    late = {name: dict(records) for name, records in pipeline.messages.records.items()}

    deletion = talking.delete_bot(pipeline)
    pipeline.run()

    assert talking.everything(pipeline) == []
    with pipeline.connection() as connection:
        receipt = find_receipt(connection, deletion.id)
    # Two of the present model, and two of the former one that nobody had deleted yet.
    assert (receipt.status, receipt.removed["memory_vectors"]) == ("done", 4)
    assert receipt.left_over is not None
    assert receipt.left_over["memory_vectors"] == 0
    # What a store shows only later is found by the last look.
    pipeline.messages.records.update(late)
    let_time_pass(pipeline)
    with pipeline.connection() as connection:
        receipt = find_receipt(connection, deletion.id)
    assert talking.everything(pipeline) == []
    assert receipt.late == {"vectors": 0, "memory_vectors": 4, "object_versions": 0}
