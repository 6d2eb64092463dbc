"""The ASGI endpoints of an answer: it is stopped while it is written, and told once more."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.chat.answer_schemas import StoppedAnswer
from chatsphere.chat.positions import HEADER, Position
from chatsphere.chat.presenting import sse_frames
from chatsphere.chat.replaying import FOLLOW_SECONDS, LOOK_SECONDS, Replay
from chatsphere.chat.services import Services
from chatsphere.chat.stopping import stop_answer
from chatsphere.http import asgi_requests
from chatsphere.http.event_stream import EventStreamResponse
from chatsphere.http.gate import path_ids


@dataclass(frozen=True, slots=True)
class FollowPace:
    """How often the stream of an answer that is being written looks, and how long it lasts, in seconds."""

    look_seconds: float = LOOK_SECONDS
    follow_seconds: float = FOLLOW_SECONDS


async def stop_writing(request: Request, *, make_services: Callable[[], Services]) -> Response:
    """Stop an answer."""
    services = await run_in_threadpool(make_services)
    caller = await _admitted(request, services)
    before = await asgi_requests.answered_before(request, caller, database=services.database, clock=services.clock)
    if before is not None:
        return before
    message_id = _message_id(request)
    state = await run_in_threadpool(
        stop_answer,
        caller.organization_id,
        caller.user_id,
        message_id,
        database=services.database,
        clock=services.clock,
        ids=services.ids,
    )
    body = StoppedAnswer(message_id=message_id, state=state)
    return JSONResponse(body.model_dump(mode="json"), 202 if state == "stopping" else 200)


async def stream_answer(
    request: Request, *, make_services: Callable[[], Services], heartbeat_seconds: float, pace: FollowPace
) -> Response:
    """Tell an answer once more, or go on with it. What fails before the first event has a status of its own."""
    services = await run_in_threadpool(make_services)
    caller = await _admitted(request, services)
    sent = request.headers.get(HEADER)
    replay = Replay(
        services.database,
        services.clock,
        services.ids,
        caller.organization_id,
        caller.user_id,
        _message_id(request),
        Position.parse(sent) if sent else Position(),
        services.timer,
        pace.look_seconds,
        pace.follow_seconds,
    )
    events = await run_in_threadpool(replay.events)
    if replay.after.ended:
        # A browser then asks no more.
        return Response(status_code=204)
    frames = sse_frames(events, asgi_requests.request_id(request), position=replay.after)
    return EventStreamResponse(frames, {}, heartbeat_seconds, on_leave=replay.left.set)


def _message_id(request: Request) -> UUID:
    return path_ids(request.path_params)["message_id"]


async def _admitted(request: Request, services: Services) -> Principal:
    return await run_in_threadpool(
        asgi_requests.admitted, request, Permission.CHAT, database=services.database, clock=services.clock
    )
