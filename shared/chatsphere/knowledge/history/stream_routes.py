"""The ASGI endpoint that streams a bot's ingestion."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.db.database import Database
from chatsphere.errors import FieldError, InvalidRequestError
from chatsphere.http import asgi_requests
from chatsphere.http.event_stream import EventStreamResponse
from chatsphere.knowledge.history.cursor import HEADER, Cursor
from chatsphere.knowledge.history.events import WatchEvent
from chatsphere.knowledge.history.presenting import frames
from chatsphere.knowledge.history.watching import POLL_SECONDS, STREAM_SECONDS, Watch, Watched
from chatsphere.ports.system import Clock, Ids


class Services(Protocol):
    """What a stream depends on."""

    @property
    def database(self) -> Database:
        """Where the documents are."""

    @property
    def clock(self) -> Clock:
        """Says until when a stream holds its slot."""

    @property
    def ids(self) -> Ids:
        """Names the stream."""

    @property
    def timer(self) -> Callable[[], float]:
        """Seconds on a clock that never goes back."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream looks, and how long it lasts, in seconds."""

    poll_seconds: float = POLL_SECONDS
    stream_seconds: float = STREAM_SECONDS


async def stream_ingestion(
    request: Request, *, make_services: Callable[[], Services], heartbeat_seconds: float, pace: Pace
) -> Response:
    """Stream what happens in a bot's ingestion. What fails before the first event has a status of its own."""
    services = await run_in_threadpool(make_services)
    caller = await run_in_threadpool(
        asgi_requests.admitted, request, Permission.DOCUMENTS_READ, database=services.database, clock=services.clock
    )
    watch = Watch(
        services.database,
        services.clock,
        services.ids.new(),
        _watched(request, caller),
        services.timer,
        pace.poll_seconds,
        pace.stream_seconds,
    )
    events = watch.events()
    first = await run_in_threadpool(_first, events)
    found = frames(chain(first, events), asgi_requests.request_id(request))
    return EventStreamResponse(found, {}, heartbeat_seconds, on_leave=watch.left.set)


def _first(events: Iterator[WatchEvent]) -> list[WatchEvent]:
    """Return the first event, to be told with the others; none where the stream is over at once."""
    return [event for event in [next(events, None)] if event is not None]


def _watched(request: Request, caller: Principal) -> Watched:
    sent = request.headers.get(HEADER)
    return Watched(
        caller.organization_id,
        caller.user_id,
        asgi_requests.bot_id(request),
        until_idle=_until_idle(request),
        after=Cursor.parse(sent) if sent else None,
    )


def _until_idle(request: Request) -> bool:
    until = request.query_params.getlist("until")
    if until not in ([], ["idle"]):
        raise InvalidRequestError(
            "The stream goes on, or ends when nothing is under way.",
            (FieldError("until", "unknown_value", "Send `idle`, or leave it out."),),
        )
    return bool(until)
