"""Chat's events as visitors of public bots see them."""

from collections.abc import Iterator

from chatsphere.chat import public_schemas as schemas
from chatsphere.chat.events import AnswerDone, AnswerStarted, ChatEvent, SourcesFound
from chatsphere.chat.presenting import body_frame, collected, frame


def public_frame(event: ChatEvent, request_id: str) -> bytes:
    """Return an event; delta, citation and error are the same for everybody."""
    match event:
        case AnswerStarted():
            return body_frame("meta", schemas.PublicMetaEvent.model_validate(event))
        case SourcesFound():
            return body_frame("sources", schemas.PublicSourcesEvent.model_validate(event))
        case AnswerDone():
            return body_frame("done", schemas.PublicDoneEvent.model_validate(event))
        case _:
            return frame(event, request_id)


def public_answer(events: Iterator[ChatEvent]) -> schemas.PublicChatResponse:
    """Run the events to their end and return the whole answer.

    Raises:
        ChatSphereError: the answer failed.
    """
    return schemas.PublicChatResponse.model_validate(collected(events).model_dump())
