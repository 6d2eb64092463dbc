"""What an object in the bucket means for the document of its key: a pure function of what is known of both."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final, Self
from uuid import UUID

from chatsphere.errors import DocumentError, DocumentTooLargeError
from chatsphere.knowledge.ingestion.errors import ObjectMissingError, SizeMismatchError
from chatsphere.knowledge.ingestion.events import ObjectEvent
from chatsphere.ports.objects import StoredObject

DECLARED_SIZE: Final = "declared-size"
"""Metadata of an object that came by a presigned form: how large it was to be."""

TYPE_DECIDES: Final = "type-decides"
"""Metadata of an object whose name says nothing of its format: on the web, `README.md` may be a page about it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A document's row, as registration sees it."""

    id: UUID
    status: str
    stage: str
    generation: int
    live_generation: int | None
    etag: str | None
    live_etag: str | None
    declared_size: int | None
    s3_version_id: str | None
    s3_sequencer: str | None
    s3_event_at: datetime | None
    error_code: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read a row of `FIND_DOCUMENT`."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    @property
    def awaits_upload(self) -> bool:
        """Whether an upload was permitted, or a page is to be fetched, that has not come."""
        return self.status == "registered" and self.stage in ("upload", "fetch")

    @property
    def was_rejected(self) -> bool:
        """Whether the newest object was refused, and deleted, when it was registered."""
        return self.status == "failed" and self.stage == "register"


class Decision(Enum):
    """What is to be done with the document."""

    IGNORE = auto()
    NOTE = auto()
    KEEP = auto()
    START = auto()


def decide(seen: Seen, event: ObjectEvent, stored: StoredObject) -> Decision:
    """Decide what the object that is stored now means.

    The store's present state decides, not the event, which may be late: events only say where to look.
    """
    if seen.awaits_upload or seen.status == "failed":
        if _is_known_upload(seen, event, stored):
            return Decision.IGNORE
        return Decision.KEEP if _is_live(seen, stored) else Decision.START
    if seen.status == "ready":
        return Decision.NOTE if _is_live(seen, stored) else Decision.START
    return Decision.NOTE if stored.etag == seen.etag else Decision.START


def refusal(seen: Seen | None, stored: StoredObject, max_bytes: int) -> DocumentError | None:
    """Return why an object is refused for its size, if it is."""
    if stored.size > max_bytes:
        return DocumentTooLargeError(f"The file holds {stored.size} bytes; {max_bytes} are allowed.")
    declared = _declared_size(seen, stored)
    if declared is not None and stored.size > declared:
        return SizeMismatchError(f"The file holds {stored.size} bytes; its upload declared {declared}.")
    return None


def _declared_size(seen: Seen | None, stored: StoredObject) -> int | None:
    text = stored.metadata.get(DECLARED_SIZE, "")
    if text.isdecimal():
        return int(text)
    return seen.declared_size if seen and (seen.awaits_upload or seen.was_rejected) else None


def _is_live(seen: Seen, stored: StoredObject) -> bool:
    return seen.live_generation is not None and stored.etag == seen.live_etag


def _is_known_upload(seen: Seen, event: ObjectEvent, stored: StoredObject) -> bool:
    """Return whether the object was there when the document was last registered. Only a version id can tell
    the same bytes uploaded again; without one the event's time must."""
    if seen.was_rejected or seen.error_code == ObjectMissingError.code:
        # That one was deleted: here is another; or it is back.
        return False
    if stored.version_id is not None:
        return stored.version_id == seen.s3_version_id
    if seen.etag != stored.etag:
        return False
    return seen.s3_event_at is not None and event.happened_at <= seen.s3_event_at
