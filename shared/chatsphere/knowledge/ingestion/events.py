"""S3 event notifications: what happened to which object, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote_plus

BEFORE_ALL_EVENTS: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Change(StrEnum):
    """What happened to an object, as S3 names it. It decides nothing: the object may have changed again since.

    Removing a delete marker, or the newest version, is a removal that brings an older version back.
    """

    CREATED = "ObjectCreated"
    REMOVED = "ObjectRemoved"
    EXPIRED = "LifecycleExpiration"


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One change of one object. Events come at least once and in any order."""

    change: Change
    key: str
    happened_at: datetime
    version_id: str | None = None
    sequencer: str | None = None

    @property
    def is_look(self) -> bool:
        """Whether no event came, and somebody looks all the same."""
        return self.happened_at == BEFORE_ALL_EVENTS

    def is_older_or_same(self, sequencer: str | None) -> bool:
        """Return whether the last change known of the key, if its order is known, is this event or follows it.

        Sequencers are hexadecimal numbers of any length, comparable within one key only.
        """
        mine, known = _order(self.sequencer), _order(sequencer)
        return mine is not None and known is not None and mine <= known


def look(key: str) -> ObjectEvent:
    """Return what stands for an event that may be missing: it has no place in their order, so it is never too late."""
    return ObjectEvent(Change.CREATED, key, BEFORE_ALL_EVENTS)


def parse_events(body: Mapping[str, Any]) -> list[ObjectEvent]:
    """Return the events of one notification; `s3:TestEvent` and kinds that do not matter give none.

    Raises:
        ValueError: the body is no S3 notification.
    """
    if body.get("Event") == "s3:TestEvent":
        return []
    try:
        return [event for record in body["Records"] if (event := _event(record))]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an S3 notification: {error!r}") from None


def _event(record: Mapping[str, Any]) -> ObjectEvent | None:
    kind = record["eventName"].removeprefix("s3:").partition(":")[0]
    if kind not in iter(Change):
        return None
    described = record["s3"]["object"]
    return ObjectEvent(
        change=Change(kind),
        key=unquote_plus(described["key"]),
        happened_at=datetime.fromisoformat(record["eventTime"]),
        version_id=described.get("versionId"),
        sequencer=described.get("sequencer"),
    )


def _order(sequencer: str | None) -> int | None:
    try:
        return int(sequencer, 16) if sequencer else None
    except ValueError:
        return None
