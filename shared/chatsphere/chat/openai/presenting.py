"""What both kinds of answers have in common, and frames of streams as OpenAI's clients read them."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from starlette.concurrency import run_in_threadpool

from chatsphere.chat.audience import Audience
from chatsphere.chat.events import AnswerFailed, ChatEvent
from chatsphere.chat.openai.response_schemas import Details
from chatsphere.chat.openai.told import Told
from chatsphere.chat.schemas import CitationBody, Latency
from chatsphere.failures import public_error
from chatsphere.http.event_stream import EventStreamResponse, sse_data, sse_event
from chatsphere.http.models import ApiResponse

Json = dict[str, Any]


def details(told: Told) -> Details | None:
    """Return what has no place of its own in OpenAI's shapes; None of an answer that was ended early."""
    done = told.done
    if done is None:
        return None
    return Details(
        conversation_id=told.started.conversation_id,
        message_id=told.started.message_id,
        answerable=done.answerable,
        reason=done.reason,
        confidence=done.confidence,
        citations=[CitationBody.model_validate(citation) for citation in told.citations],
        latency_ms=Latency.model_validate(done.latency_ms),
        cost_microdollars=done.usage.cost_microdollars,
    )


async def streamed(
    events: Iterator[ChatEvent], present: Callable[[ChatEvent], bytes], heartbeat_seconds: float, audience: Audience
) -> EventStreamResponse:
    """Return the events as a stream. What fails before the first one is raised: it still has a status of its own.

    No event has an id: after one, the official client takes each comment for an event without data, and fails.
    """
    first = await run_in_threadpool(next, events)
    frames = _frames(chain([first], events), present)
    return EventStreamResponse(frames, {}, heartbeat_seconds, on_leave=audience.leave)


def _frames(events: Iterator[ChatEvent], present: Callable[[ChatEvent], bytes]) -> Iterator[bytes]:
    try:
        for event in events:
            yield present(event)
    except Exception as error:
        yield present(AnswerFailed(public_error(error)))


def data_frame(body: ApiResponse | Json) -> bytes:
    """Return a frame without a name, as those of chat completions are."""
    return sse_data(_json(body))


def named_frame(name: str, body: ApiResponse | Json) -> bytes:
    """Return a frame with a name."""
    return sse_event(name, _json(body))


def _json(body: ApiResponse | Json) -> Json:
    return body if isinstance(body, dict) else body.model_dump(mode="json")
