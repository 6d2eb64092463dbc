"""What happens in a bot's ingestion, as one hears of it who watches it."""

from collections.abc import Mapping
from dataclasses import dataclass

from chatsphere.knowledge.history.cursor import Cursor
from chatsphere.knowledge.history.status import DocumentState, IngestionStatus


@dataclass(frozen=True, slots=True)
class StateTaken:
    """Always the first event of a stream that does not go on with an earlier one."""

    cursor: Cursor
    status: IngestionStatus


@dataclass(frozen=True, slots=True)
class DocumentChanged:
    """A document's present state, after it changed; or how far its stage is."""

    cursor: Cursor
    state: DocumentState


@dataclass(frozen=True, slots=True)
class BecameIdle:
    """Nothing is under way, and every change before that has been told."""

    cursor: Cursor
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TimeIsOver:
    """The last event of a stream that ends because all of them do after a while: go on with another."""

    cursor: Cursor


WatchEvent = StateTaken | DocumentChanged | BecameIdle | TimeIsOver
