"""Notifications come twice, in any order, or for what is nobody's."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chatsphere.knowledge.ingestion import refused
from tests.fakes import s3_event
from tests.integration.ingestion.pipeline import MAX_BYTES, Pipeline
from tests.postgres import DatabaseUrls

OLD, NEW = "The old line.", "The new line.\nAnd one more."


def test_a_notification_delivered_twice_changes_nothing(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    event = pipeline.events[0]
    # When, before, during and after the work
    pipeline.deliver(pipeline.register, event)
    pipeline.deliver(pipeline.register, event)
    # Then whoever delivered it first may have died before he sent
    first, *again = pipeline.extract_queue.messages
    assert again == [first]
    pipeline.run()
    pipeline.deliver(pipeline.register, event)
    # Then
    assert not pipeline.extract_queue.messages
    pipeline.assert_ready([OLD])
    assert pipeline.document()["generation"] == 1


def test_without_sequencers_a_repeated_notification_changes_nothing(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.events.clear()
    event = s3_event(pipeline.key("a.txt"), happened_at=pipeline.clock.now())
    # When
    pipeline.deliver(pipeline.register, event)
    pipeline.deliver(pipeline.register, event)
    pipeline.run()
    pipeline.deliver(pipeline.register, event)
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])
    assert pipeline.document()["generation"] == 1


def test_messages_delivered_twice_change_nothing(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", NEW)
    pipeline.deliver_events()
    extract = pipeline.extract_queue.messages[0]
    pipeline.deliver(pipeline.extract, extract)
    embed = pipeline.embed_queue.messages[0]
    # When
    assert pipeline.deliver(pipeline.extract, extract)
    assert pipeline.deliver(pipeline.embed, embed)
    assert pipeline.deliver(pipeline.embed, embed)
    assert pipeline.deliver(pipeline.extract, extract)
    # Then
    pipeline.embed_queue.messages.clear()
    pipeline.assert_ready(NEW.split("\n"))
    assert len(pipeline.embedder.texts) == 2


def shuffled(pipeline: Pipeline, seed: int, *, ordered: bool) -> list[dict[str, Any]]:
    """Return every notification twice, in any order; S3 does not always say which was first."""
    events = [*pipeline.events, *pipeline.events]
    pipeline.events.clear()
    random.Random(seed).shuffle(events)
    if not ordered:
        for event in events:
            event["Records"][0]["s3"]["object"].pop("sequencer", None)
    return events


either_way = pytest.mark.parametrize("ordered", [True, False], ids=["with sequencers", "without sequencers"])


@either_way
@pytest.mark.parametrize("seed", range(6))
def test_the_bucket_wins_whatever_the_order_of_notifications(pipeline: Pipeline, seed: int, ordered: bool) -> None:
    # Given
    pipeline.drop("a.txt", "First.")
    pipeline.objects.remove(pipeline.key("a.txt"))
    pipeline.drop("a.txt", "Second.")
    pipeline.drop("a.txt", NEW)
    # When
    for event in shuffled(pipeline, seed, ordered=ordered):
        pipeline.deliver(pipeline.register, event)
        pipeline.run()
    # Then
    pipeline.assert_ready(NEW.split("\n"))


@either_way
@pytest.mark.parametrize("seed", range(6))
def test_a_removed_object_stays_removed_whatever_the_order(pipeline: Pipeline, seed: int, ordered: bool) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.drop("a.txt", NEW)
    pipeline.objects.remove(pipeline.key("a.txt"))
    # When
    for event in shuffled(pipeline, seed, ordered=ordered):
        pipeline.deliver(pipeline.register, event)
        pipeline.run()
    # Then
    assert pipeline.documents() == []
    assert pipeline.vector_ids() == []


@either_way
def test_a_late_removal_does_not_take_what_came_after_it(pipeline: Pipeline, ordered: bool) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    before = pipeline.document()
    pipeline.objects.remove(pipeline.key("a.txt"))
    removal = pipeline.events.pop()
    pipeline.drop("a.txt", NEW)
    if not ordered:
        del removal["Records"][0]["s3"]["object"]["sequencer"]
    # When
    pipeline.run()
    pipeline.deliver(pipeline.register, removal)
    # Then
    pipeline.assert_ready(NEW.split("\n"), document_id=before["id"])


def test_new_bytes_are_a_new_generation_of_the_same_document(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    before = pipeline.document()
    pipeline.drop("a.txt", NEW)
    # When
    pipeline.deliver_events()
    # Then readers see the former until the new one is complete
    assert (pipeline.document()["status"], pipeline.chunks()) == ("registered", [OLD])
    pipeline.run()
    pipeline.assert_ready(NEW.split("\n"), document_id=before["id"])
    after = pipeline.document()
    assert (before["live_generation"], after["live_generation"]) == (1, 2)
    assert before["sha256"] != after["sha256"]


def test_the_same_bytes_again_are_unchanged(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    before = pipeline.document()
    # When
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    # Then
    after = pipeline.document()
    assert after["s3_version_id"] != before["s3_version_id"]
    assert (after["status"], after["generation"]) == ("ready", 1)
    assert len(pipeline.embedder.texts) == 1


def test_the_same_bytes_under_another_etag_are_unchanged(pipeline: Pipeline) -> None:
    # Given, as after an upload in parts
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    with pipeline.connection() as connection:
        connection.execute("UPDATE documents SET live_etag = 'abc-2', etag = 'abc-2'")
    # When
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])
    assert (pipeline.document()["generation"], pipeline.document()["live_generation"]) == (2, 1)
    assert len(pipeline.embedder.texts) == 1
    # And from now on the notification alone tells
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    assert pipeline.document()["generation"] == 2


def test_bytes_that_return_to_what_is_live_call_off_what_is_under_way(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    pipeline.drop("a.txt", NEW)
    pipeline.deliver_events()
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    # When
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready([OLD])


def test_a_failed_file_uploaded_again_is_tried_again(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "  ")
    pipeline.run()
    assert pipeline.document()["error_code"] == "empty"
    assert pipeline.bot_status() == "error"
    # When
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])


def test_a_failed_replacement_leaves_what_readers_see(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    # When
    pipeline.drop("a.txt", " ")
    pipeline.run()
    # Then
    document = pipeline.document()
    assert (document["status"], document["error_code"], document["live_generation"]) == ("failed", "empty", 1)
    assert pipeline.chunks(live=False) == pipeline.indexed() == [OLD]
    assert pipeline.bot_status() == "trained"


def test_a_file_over_the_limit_fails_and_is_deleted(pipeline: Pipeline) -> None:
    # When
    pipeline.drop("a.txt", "x" * (MAX_BYTES + 1))
    pipeline.run()
    # Then
    document = pipeline.document()
    assert (document["status"], document["error_code"], document["retryable"]) == ("failed", "too_large", False)
    assert pipeline.objects.count_versions("") == 0
    # And a smaller one replaces it
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    pipeline.assert_ready([OLD], document_id=document["id"])


QUARANTINED = "SELECT reason, s3_version_id FROM quarantined_objects WHERE s3_key = %s"


@pytest.mark.parametrize(
    ("make_key", "reason"),
    [
        (lambda p: "a.txt", "The key does not begin with an organization and a bot."),
        (lambda p: f"{p.tenant.organization_id}/{p.ids.new()}/a.txt", "There is no such bot."),
        (lambda p: f"{p.ids.new()}/{p.tenant.bot_id}/a.txt", "There is no such bot."),
        (lambda p: p.key("a/../../b.txt"), "The name holds a `..` segment."),
        (lambda p: p.key("folder/"), "The name is empty."),
    ],
)
def test_an_object_that_is_nobodys_is_quarantined(
    pipeline: Pipeline, database_urls: DatabaseUrls, make_key: Callable[[Pipeline], str], reason: str
) -> None:
    # Given
    key = make_key(pipeline)
    pipeline.objects.put(key, b"Planted.", content_type="text/plain", metadata={})
    event = pipeline.events[0]
    # When
    assert pipeline.deliver(pipeline.register, event)
    assert pipeline.deliver(pipeline.register, event)
    # Then
    assert pipeline.documents() == []
    with psycopg.connect(database_urls.admin) as connection:
        assert (reason, event["Records"][0]["s3"]["object"]["versionId"]) in connection.execute(
            QUARANTINED, (key,)
        ).fetchall()


def test_a_key_with_control_characters_is_quarantined_readably(pipeline: Pipeline, database_urls: DatabaseUrls) -> None:
    key = pipeline.key("a\x00\nb")
    assert pipeline.deliver(pipeline.register, s3_event(key, happened_at=pipeline.clock.now()))
    with psycopg.connect(database_urls.admin) as connection:
        assert connection.execute(QUARANTINED, (pipeline.key("a\\x00\\nb"),)).fetchall()


def test_an_object_for_a_bot_that_is_being_deleted_is_quarantined(pipeline: Pipeline) -> None:
    with pipeline.connection() as connection:
        connection.execute("UPDATE bots SET status = 'deleting' WHERE id = %s", (pipeline.tenant.bot_id,))
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    assert pipeline.documents() == []


def test_another_tenants_bot_gets_nothing(make_pipeline: Callable[[], Pipeline]) -> None:
    # Given
    mine, other = make_pipeline(), make_pipeline()
    # When
    key = f"{mine.tenant.organization_id}/{other.tenant.bot_id}/a.txt"
    mine.objects.put(key, b"Planted.", content_type="text/plain", metadata={})
    mine.run()
    # Then
    assert (mine.documents(), other.documents()) == ([], [])


def test_the_buckets_test_event_is_worked_off(pipeline: Pipeline) -> None:
    assert pipeline.deliver(pipeline.register, {"Service": "Amazon S3", "Event": "s3:TestEvent"})


def test_a_document_has_a_time_by_which_it_ends(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", OLD)
    pipeline.deliver_events()
    assert pipeline.document()["deadline_at"] == pipeline.clock.now() + timedelta(hours=1)
    assert pipeline.bot_status() == "training"


@pytest.mark.parametrize("known", [True, False], ids=["known document", "new document"])
@pytest.mark.parametrize("removed", [True, False], ids=["removed", "replaced"])
def test_an_object_that_changes_while_it_is_looked_at_is_looked_at_again(
    pipeline: Pipeline, known: bool, removed: bool
) -> None:
    # Given
    if known:
        pipeline.drop("a.txt", "First.")
        pipeline.run()
    if removed:
        pipeline.objects.remove(pipeline.key("a.txt"))
    else:
        pipeline.drop("a.txt", OLD)
    event = pipeline.events.pop()
    head = pipeline.objects.head

    def change_after_looking(key: str) -> Any:
        found = head(key)
        pipeline.objects.head = head
        pipeline.drop("a.txt", NEW)
        pipeline.deliver_events()
        return found

    pipeline.objects.head = change_after_looking
    # When
    assert pipeline.deliver(pipeline.register, event)
    pipeline.run()
    # Then
    pipeline.assert_ready(NEW.split("\n"))
    assert pipeline.document()["generation"] == (2 if known else 1)


def test_an_object_that_is_undeleted_has_its_document_again(pipeline: Pipeline) -> None:
    # Given a document whose object is hidden under a delete marker
    pipeline.drop("a.txt", OLD)
    pipeline.objects.remove(pipeline.key("a.txt"))
    pipeline.run()
    assert pipeline.documents() == []
    # When the marker is removed, which S3 tells as a removal
    pipeline.objects.remove_newest(pipeline.key("a.txt"))
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])


@pytest.mark.parametrize("event", ["ObjectRemoved:Delete", "LifecycleExpiration:Delete"])
def test_the_version_below_one_that_goes_is_the_document_again(pipeline: Pipeline, event: str) -> None:
    # Given
    pipeline.drop("a.txt", OLD)
    pipeline.drop("a.txt", NEW)
    pipeline.run()
    # When
    pipeline.objects.remove_newest(pipeline.key("a.txt"), event=event)
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])


def test_an_object_that_expires_is_removed(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", OLD)
    pipeline.run()
    pipeline.objects.remove_newest(pipeline.key("a.txt"), event="LifecycleExpiration:DeleteMarkerCreated")
    pipeline.run()
    assert pipeline.documents() == []


def test_a_removal_that_is_worked_off_while_the_object_is_registered_is_not_lost(pipeline: Pipeline) -> None:
    # Given a registration that has seen the object, but not made its document
    pipeline.drop("a.txt", OLD)
    created = pipeline.events.pop()
    head = pipeline.objects.head

    def remove_after_looking(key: str) -> Any:
        found = head(key)
        pipeline.objects.head = head
        pipeline.objects.remove(key)
        pipeline.deliver_events()
        return found

    pipeline.objects.head = remove_after_looking
    # When
    assert pipeline.deliver(pipeline.register, created)
    pipeline.run()
    # Then
    assert pipeline.documents() == []


def test_an_unversioned_object_that_returns_to_what_it_was_is_not_taken_for_what_was_read(pipeline: Pipeline) -> None:
    # Given that the object is another one while it is read, and the first one again after that
    pipeline.use_bucket(versioned=False)
    pipeline.drop("a.txt", OLD)
    pipeline.deliver_events()
    pipeline.drop("a.txt", NEW)
    pipeline.deliver(pipeline.extract, pipeline.extract_queue.messages.popleft())
    pipeline.drop("a.txt", OLD)
    # When
    pipeline.run()
    pipeline.settle()
    # Then
    pipeline.assert_ready([OLD])


def test_names_in_two_normal_forms_are_two_documents(pipeline: Pipeline) -> None:
    pipeline.drop("caf\u00e9.txt", OLD)
    pipeline.drop("cafe\u0301.txt", OLD)
    pipeline.run()
    assert [row["name"] for row in pipeline.documents()] == ["caf\u00e9.txt", "cafe\u0301.txt"]


def test_a_key_may_have_1024_bytes_and_no_more(pipeline: Pipeline, database_urls: DatabaseUrls) -> None:
    # Given
    room = 1_024 - len(pipeline.key(""))
    longest, too_long = "\u00e9" * (room // 2), "\u00e9" * (room // 2 + 1)
    # When
    pipeline.drop(longest, OLD)
    pipeline.drop(too_long, OLD)
    pipeline.run()
    # Then
    assert [row["name"] for row in pipeline.documents()] == [longest]
    with psycopg.connect(database_urls.admin) as connection:
        assert connection.execute(QUARANTINED, (pipeline.key(too_long),)).fetchone() is not None


def test_of_refused_files_only_the_newest_are_told(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setattr(refused, "KEPT", 2)
    pipeline.drop("good.txt", OLD)
    # When
    for number in range(4):
        pipeline.drop(f"{number}.txt", "x" * (MAX_BYTES + 1))
    pipeline.run()
    # Then
    assert [row["name"] for row in pipeline.documents()] == ["good.txt", "2.txt", "3.txt"]


def test_what_is_uploaded_while_its_predecessor_is_refused_is_not_deleted_with_it(pipeline: Pipeline) -> None:
    # Given
    pipeline.drop("a.txt", "x" * (MAX_BYTES + 1))
    head = pipeline.objects.head
    looks = []

    def replaced_at_the_second_look(key: str) -> Any:
        looks.append(key)
        if len(looks) == 2:
            pipeline.drop("a.txt", OLD)
        return head(key)

    pipeline.objects.head = replaced_at_the_second_look
    # When
    pipeline.run()
    # Then
    pipeline.assert_ready([OLD])
