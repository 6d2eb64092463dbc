"""Chat's events as clients see them: one by one as Server-Sent Events, or collected into one answer."""

from collections.abc import Callable, Iterator
from itertools import chain

from starlette.concurrency import run_in_threadpool

from chatsphere.chat import schemas
from chatsphere.chat.audience import Audience
from chatsphere.chat.events import (
    AnswerDone,
    AnswerFailed,
    AnswerStarted,
    ChatEvent,
    Cited,
    SourcesFound,
    TextAdded,
)
from chatsphere.chat.positions import Position
from chatsphere.failures import public_error
from chatsphere.http.event_stream import EventStreamResponse, sse_event, with_id
from chatsphere.http.models import ApiResponse
from chatsphere.http.problem import problem


def collected(events: Iterator[ChatEvent]) -> schemas.ChatResponse:
    """Run the events to their end and return the whole answer.

    Raises:
        ChatSphereError: the answer failed.
    """
    started: AnswerStarted | None = None
    last: AnswerDone | AnswerFailed | None = None
    sources = SourcesFound(())
    answer, citations = "", []
    for event in events:
        match event:
            case AnswerStarted():
                started = event
            case SourcesFound():
                sources = event
            case TextAdded(text):
                answer += text
            case Cited(citation):
                citations.append(schemas.CitationBody.model_validate(citation))
            case AnswerDone() | AnswerFailed():
                # What is still done after it is done here, and not by whoever drops the generator: the event loop.
                last = event
    if isinstance(last, AnswerFailed):
        raise last.error
    assert started is not None, "chat events begin with AnswerStarted"
    assert last is not None, "chat events end with AnswerDone or AnswerFailed"
    return _answer(started, sources, answer, citations, last)


def _answer(
    started: AnswerStarted,
    sources: SourcesFound,
    answer: str,
    citations: list[schemas.CitationBody],
    done: AnswerDone,
) -> schemas.ChatResponse:
    return schemas.ChatResponse(
        conversation_id=started.conversation_id,
        message_id=started.message_id,
        model=started.model,
        answer=answer,
        citations=citations,
        sources=[schemas.SourceBody.model_validate(source) for source in sources.sources],
        answerable=done.answerable,
        reason=done.reason,
        confidence=done.confidence,
        finish_reason=done.finish_reason,
        usage=schemas.UsageBody.model_validate(done.usage),
        latency_ms=schemas.Latency.model_validate(done.latency_ms),
        cached=done.cached,
    )


def frame(event: ChatEvent, request_id: str) -> bytes:
    """Return an event as those see it who may ask the bot by a credential."""
    match event:
        case AnswerStarted():
            return body_frame("meta", schemas.MetaEvent.model_validate(event))
        case SourcesFound():
            return body_frame("sources", schemas.SourcesEvent.model_validate(event))
        case TextAdded():
            return body_frame("delta", schemas.DeltaEvent.model_validate(event))
        case Cited(citation):
            return body_frame("citation", schemas.CitationBody.model_validate(citation))
        case AnswerDone():
            return body_frame("done", _done(event))
        case AnswerFailed(error):
            return sse_event("error", problem(error, request_id))


def sse_frames(
    events: Iterator[ChatEvent],
    request_id: str,
    present: Callable[[ChatEvent, str], bytes] = frame,
    position: Position | None = None,
) -> Iterator[bytes]:
    """Yield each event as a frame, with the id from which another stream goes on. What fails is the last: `error`.

    `position` is of who has heard something before.
    """
    position = position or Position()
    try:
        for event in events:
            position = position.after(event)
            yield with_id(present(event, request_id), str(position))
    except Exception as error:
        # Without an id: what is kept is told by the next stream, from the last event that has one.
        yield present(AnswerFailed(public_error(error)), request_id)


async def streamed(
    events: Iterator[ChatEvent],
    request_id: str,
    heartbeat_seconds: float,
    present: Callable[[ChatEvent, str], bytes] = frame,
    *,
    audience: Audience | None = None,
) -> EventStreamResponse:
    """Return the events as a stream. What fails before the first one is raised: it still has a status of its own.

    The `audience` is told when the client leaves, where the server says so.
    """
    first = await run_in_threadpool(next, events)
    frames = sse_frames(chain([first], events), request_id, present)
    return EventStreamResponse(frames, {}, heartbeat_seconds, on_leave=audience.leave if audience else None)


def body_frame(name: str, body: ApiResponse) -> bytes:
    """Return an event with this body."""
    return sse_event(name, body.model_dump(mode="json"))


def _done(event: AnswerDone) -> schemas.DoneEvent:
    return schemas.DoneEvent(
        message_id=event.message_id,
        finish_reason=event.finish_reason,
        answerable=event.answerable,
        reason=event.reason,
        confidence=event.confidence,
        usage=schemas.UsageBody.model_validate(event.usage),
        cost_microdollars=event.usage.cost_microdollars,
        latency_ms=schemas.Latency.model_validate(event.latency_ms),
        cached=event.cached,
    )
