"""S3 notifications."""

from datetime import UTC, datetime

import pytest

from chatsphere.knowledge.ingestion.events import Change, ObjectEvent, parse_events
from tests.fakes import s3_event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_notification_names_the_object_as_it_was_put() -> None:
    body = s3_event("a/b/Ü + ä & c%20.pdf", happened_at=NOON, version_id="v1", sequencer="0A")
    assert parse_events(body) == [ObjectEvent(Change.CREATED, "a/b/Ü + ä & c%20.pdf", NOON, "v1", "0A")]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ObjectCreated:Put", Change.CREATED),
        ("ObjectCreated:CompleteMultipartUpload", Change.CREATED),
        ("s3:ObjectCreated:Post", Change.CREATED),
        ("ObjectRemoved:Delete", Change.REMOVED),
        ("ObjectRemoved:DeleteMarkerCreated", Change.REMOVED),
        ("LifecycleExpiration:Delete", Change.EXPIRED),
        ("s3:LifecycleExpiration:DeleteMarkerCreated", Change.EXPIRED),
    ],
)
def test_every_way_to_create_or_remove_counts(name: str, change: Change) -> None:
    assert [event.change for event in parse_events(s3_event("k", name=name, happened_at=NOON))] == [change]


def test_what_is_neither_creation_nor_removal_is_left_out() -> None:
    assert parse_events(s3_event("k", name="ObjectTagging:Put", happened_at=NOON)) == []
    assert parse_events({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"}) == []


def test_one_notification_may_hold_several_events() -> None:
    records = s3_event("a", happened_at=NOON)["Records"] + s3_event("b", happened_at=NOON)["Records"]
    assert [event.key for event in parse_events({"Records": records})] == ["a", "b"]


@pytest.mark.parametrize(
    "body", [{}, {"Records": None}, {"Records": [{}]}, {"Records": [{"eventName": "ObjectCreated:Put"}]}]
)
def test_what_is_no_notification_is_an_error(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an S3 notification"):
        parse_events(body)


@pytest.mark.parametrize(
    ("known", "event", "older_or_same"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", False),
        # Not as text: sequencers differ in length, and in case.
        ("F", "10", False),
        ("10", "F", True),
        ("a", "B", False),
        ("F" * 80, "1" + "0" * 80, False),
        ("1" + "0" * 80, "F" * 80, True),
        ("not a number", "1", False),
        (None, "1", False),
        ("1", None, False),
        (None, None, False),
    ],
)
def test_sequencers_are_compared_as_numbers(known: str | None, event: str | None, older_or_same: bool) -> None:
    assert ObjectEvent(Change.CREATED, "k", NOON, None, event).is_older_or_same(known) is older_or_same
