"""What was told of an answer so far, collected from chat's events, and what OpenAI's shapes call it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from chatsphere.chat.events import (
    AnswerDone,
    AnswerFailed,
    AnswerStarted,
    ChatEvent,
    Citation,
    Cited,
    TextAdded,
    Usage,
)
from chatsphere.db.uuid_time import made_at
from chatsphere.errors import AnswerBlockedError, ChatSphereError

FinishReason = Literal["stop", "length", "content_filter"]
LENGTH: Final = frozenset({"length", "max_tokens"})
FILTERED: Final = frozenset({"content_filter", "answer_blocked"})


@dataclass(slots=True)
class Told:
    """An answer as far as it was told. `error` is what ended it early."""

    started: AnswerStarted
    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    done: AnswerDone | None = None
    error: ChatSphereError | None = None

    def add(self, event: ChatEvent) -> None:
        """Note what an event tells."""
        match event:
            case TextAdded(text):
                self.text += text
            case Cited(citation):
                self.citations.append(citation)
            case AnswerDone():
                self.done = event
            case AnswerFailed(error):
                self.error = error

    @property
    def blocked(self) -> bool:
        """Whether the model's safety rules ended the answer: to OpenAI's clients that is an answer, and no error."""
        return isinstance(self.error, AnswerBlockedError)

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended, in OpenAI's words."""
        return "content_filter" if self.done is None else finish_reason(self.done.finish_reason)

    @property
    def usage(self) -> Usage:
        """What the answer took; nothing that is known where it was ended early."""
        return Usage() if self.done is None else self.done.usage

    @property
    def created(self) -> int:
        """When the question was taken, in seconds since 1970: the answer's id says so."""
        return created(self.started.message_id)


def told(events: Iterable[ChatEvent]) -> Told:
    """Run the events to their end and return what they told.

    Raises:
        ChatSphereError: the answer failed, and not because it was blocked.
    """
    found: Told | None = None
    for event in events:
        if isinstance(event, AnswerStarted):
            found = Told(event)
        elif found is not None:
            found.add(event)
    assert found is not None, "chat events begin with AnswerStarted"
    if found.error is not None and not found.blocked:
        raise found.error
    return found


def finish_reason(kept: str) -> FinishReason:
    """Return OpenAI's word for why an answer ended; a refusal for lack of evidence is an answer like others."""
    if kept in LENGTH:
        return "length"
    return "content_filter" if kept in FILTERED else "stop"


def created(message_id: UUID) -> int:
    """Return the time in a message's id, in seconds since 1970."""
    return seconds(made_at(message_id))


def seconds(moment: datetime) -> int:
    """Return a time as OpenAI's shapes hold it."""
    return int(moment.astimezone(UTC).timestamp())
