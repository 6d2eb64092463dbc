"""What an object means for its document."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chatsphere.errors import DocumentTooLargeError
from chatsphere.knowledge.ingestion.decisions import Decision, Seen, decide, refusal
from chatsphere.knowledge.ingestion.errors import SizeMismatchError
from chatsphere.knowledge.ingestion.events import Change, ObjectEvent
from chatsphere.ports.objects import StoredObject

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENT = ObjectEvent(Change.CREATED, "key", NOON)

READY = Seen(
    id=uuid4(),
    status="ready",
    stage="done",
    generation=1,
    live_generation=1,
    etag="old",
    live_etag="old",
    declared_size=None,
    s3_version_id="v1",
    s3_sequencer=None,
    s3_event_at=NOON,
)
NEW = replace(
    READY, status="registered", stage="register", generation=0, live_generation=None, etag=None, live_etag=None
)
AWAITED = replace(NEW, stage="upload", s3_version_id=None, s3_event_at=None)
REPLACEMENT_AWAITED = replace(READY, status="registered", stage="upload")
EXTRACTING = replace(READY, status="extracting", stage="extract", generation=2, etag="newer", s3_version_id="v2")
FAILED = replace(READY, status="failed", stage="extract", live_generation=None, live_etag=None)
FAILED_OVER_LIVE = replace(READY, status="failed", stage="extract", generation=2, etag="bad", s3_version_id="v2")


def stored(etag: str, version_id: str | None, size: int = 5, **metadata: str) -> StoredObject:
    return StoredObject(
        "key", size, etag, "text/plain", version_id, {k.replace("_", "-"): v for k, v in metadata.items()}
    )


@pytest.mark.parametrize(
    ("seen", "etag", "version", "decision"),
    [
        (NEW, "a", "v1", Decision.START),
        (AWAITED, "a", "v1", Decision.START),
        (READY, "old", "v1", Decision.NOTE),
        (READY, "old", "v2", Decision.NOTE),
        (READY, "new", "v2", Decision.START),
        (REPLACEMENT_AWAITED, "old", "v1", Decision.IGNORE),
        (REPLACEMENT_AWAITED, "old", "v2", Decision.KEEP),
        (REPLACEMENT_AWAITED, "new", "v2", Decision.START),
        (EXTRACTING, "newer", "v2", Decision.NOTE),
        (EXTRACTING, "newest", "v3", Decision.START),
        # Back to what readers see: the generation under way must still be called off.
        (EXTRACTING, "old", "v3", Decision.START),
        (FAILED, "old", "v1", Decision.IGNORE),
        (FAILED, "old", "v2", Decision.START),
        (FAILED_OVER_LIVE, "old", "v3", Decision.KEEP),
        (FAILED_OVER_LIVE, "bad", "v2", Decision.IGNORE),
    ],
)
def test_the_stored_object_decides(seen: Seen, etag: str, version: str, decision: Decision) -> None:
    assert decide(seen, EVENT, stored(etag, version)) is decision


@pytest.mark.parametrize(
    ("later", "decision"), [(timedelta(0), Decision.IGNORE), (timedelta(seconds=1), Decision.START)]
)
def test_without_versions_the_time_tells_an_upload_from_its_echo(later: timedelta, decision: Decision) -> None:
    failed = replace(FAILED, s3_version_id=None)
    assert decide(failed, replace(EVENT, happened_at=NOON + later), stored("old", None)) is decision


def test_an_object_over_the_limit_is_refused() -> None:
    assert refusal(None, stored("a", "v1", size=100), 100) is None
    assert isinstance(refusal(None, stored("a", "v1", size=101), 100), DocumentTooLargeError)


def test_an_object_larger_than_its_form_declared_is_refused() -> None:
    assert refusal(READY, stored("a", "v1", size=10, declared_size="10"), 100) is None
    assert isinstance(refusal(READY, stored("a", "v1", size=11, declared_size="10"), 100), SizeMismatchError)


def test_leaving_the_declaration_out_of_the_form_does_not_help() -> None:
    awaited = replace(AWAITED, declared_size=10)
    assert isinstance(refusal(awaited, stored("a", "v1", size=11), 100), SizeMismatchError)


def test_a_plain_drop_is_not_held_to_an_earlier_declaration() -> None:
    assert refusal(replace(READY, declared_size=10), stored("a", "v1", size=11), 100) is None


def test_a_declaration_that_is_no_number_is_none() -> None:
    assert refusal(None, stored("a", "v1", size=11, declared_size="ten"), 100) is None
