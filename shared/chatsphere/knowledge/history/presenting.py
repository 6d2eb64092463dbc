"""Events of a bot's ingestion as Server-Sent Events."""

from collections.abc import Iterator
from typing import Final

from chatsphere.failures import public_error
from chatsphere.http.event_stream import sse_event
from chatsphere.http.models import ApiResponse
from chatsphere.http.problem import problem
from chatsphere.knowledge.history.cursor import Cursor
from chatsphere.knowledge.history.events import BecameIdle, DocumentChanged, StateTaken, TimeIsOver, WatchEvent
from chatsphere.knowledge.history.schemas import (
    DocumentStateBody,
    IdleEvent,
    IngestionTotals,
    ReconnectEvent,
    status_response,
)

RETRY: Final = b"retry: 1000\n\n"
"""How many milliseconds a browser waits before it asks for another stream."""


def frames(events: Iterator[WatchEvent], request_id: str) -> Iterator[bytes]:
    """Yield each event as a frame. What fails after the first one is the last: `error`."""
    yield RETRY
    try:
        for event in events:
            yield frame(event)
    except Exception as error:
        yield sse_event("error", problem(public_error(error), request_id))


def frame(event: WatchEvent) -> bytes:
    """Return one event, with the id from which another stream goes on after it."""
    match event:
        case StateTaken(cursor, status):
            return _framed(cursor, "snapshot", status_response(status))
        case DocumentChanged(cursor, state):
            return _framed(cursor, "document", DocumentStateBody.model_validate(state))
        case BecameIdle(cursor, totals):
            return _framed(cursor, "idle", IdleEvent(totals=IngestionTotals.model_validate(totals)))
        case TimeIsOver(cursor):
            return _framed(cursor, "reconnect", ReconnectEvent(last_event_id=str(cursor)))


def _framed(cursor: Cursor, name: str, body: ApiResponse) -> bytes:
    return f"id: {cursor}\n".encode() + sse_event(name, body.model_dump(mode="json"))
