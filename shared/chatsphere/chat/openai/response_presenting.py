"""Chat's events as responses: one object, or the events of one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from chatsphere.chat.events import AnswerDone, AnswerFailed, AnswerStarted, ChatEvent, Citation, Cited, TextAdded, Usage
from chatsphere.chat.openai.annotating import Sources
from chatsphere.chat.openai.presenting import details, named_frame
from chatsphere.chat.openai.response_schemas import (
    IncompleteDetails,
    OutputMessage,
    OutputText,
    ResponseBody,
    ResponseFailure,
    ResponseUsage,
    TextAnnotation,
)
from chatsphere.chat.openai.stored import PREFIX
from chatsphere.chat.openai.told import FinishReason, Told, told
from chatsphere.errors import UnavailableError
from chatsphere.http.openai_errors import error_object

PART: Final = {"output_index": 0, "content_index": 0}
INCOMPLETE: Final[Mapping[FinishReason, Any]] = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(slots=True)
class ResponsePresenter:
    """Presents one answer. `asked` are fields of the request that the response repeats."""

    model: str
    sources: Sources
    asked: Mapping[str, Any] = field(default_factory=dict)
    told: Told | None = field(default=None, init=False)
    sent: int = field(default=0, init=False)

    def collected(self, events: Iterable[ChatEvent]) -> ResponseBody:
        """Run the events to their end and return the whole response.

        Raises:
            ChatSphereError: the answer failed.
        """
        return self.body(told(events))

    def body(self, answer: Told) -> ResponseBody:
        """Return the response as far as it was told."""
        status = _status(answer)
        incomplete = INCOMPLETE[answer.finish_reason] if status == "incomplete" else None
        return ResponseBody(
            id=f"{PREFIX}{answer.started.message_id.hex}",
            created_at=answer.created,
            status=status,
            error=_failure(answer) if status == "failed" else None,
            incomplete_details=IncompleteDetails(reason=incomplete) if incomplete else None,
            model=self.model,
            output=[] if status == "in_progress" else [self._message(answer)],
            usage=usage(answer.usage) if answer.done is not None else None,
            chatsphere=details(answer),
            **self.asked,
        )

    def frame(self, event: ChatEvent) -> bytes:
        """Return an event's frames, never none. One that failed begins with `event: response.failed`."""
        if isinstance(event, AnswerStarted):
            self.told = Told(event)
            return self._begun()
        if self.told is None:
            assert isinstance(event, AnswerFailed), "chat events begin with AnswerStarted"
            return self._event("error", param=None, **_message_and_code(event))
        self.told.add(event)
        match event:
            case TextAdded(text):
                return self._event("response.output_text.delta", **self._part, delta=text, logprobs=[])
            case Cited(citation):
                annotation = self._annotation(citation).model_dump(mode="json")
                place = {"annotation_index": len(self.told.citations) - 1, "annotation": annotation}
                return self._event("response.output_text.annotation.added", **self._part, **place)
            case AnswerFailed() if not self.told.blocked:
                return self._event("response.failed", response=self._response())
            case AnswerDone() | AnswerFailed():
                return self._ended()
        raise AssertionError(f"{type(event).__name__} has no frame")

    def _begun(self) -> bytes:
        response = self._response()
        item = {"id": self._item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        part = OutputText(text="", annotations=[]).model_dump(mode="json")
        return b"".join(
            [
                self._event("response.created", response=response),
                self._event("response.in_progress", response=response),
                self._event("response.output_item.added", output_index=0, item=item),
                self._event("response.content_part.added", **self._part, part=part),
            ]
        )

    def _ended(self) -> bytes:
        response = self._response()
        item = response["output"][0]
        part = item["content"][0]
        return b"".join(
            [
                self._event("response.output_text.done", **self._part, text=part["text"], logprobs=[]),
                self._event("response.content_part.done", **self._part, part=part),
                self._event("response.output_item.done", output_index=0, item=item),
                self._event(f"response.{response['status']}", response=response),
            ]
        )

    def _event(self, kind: str, **fields: Any) -> bytes:
        frame = named_frame(kind, {"type": kind, "sequence_number": self.sent, **fields})
        self.sent += 1
        return frame

    def _response(self) -> dict[str, Any]:
        return self.body(self._answer).model_dump(mode="json")

    def _message(self, answer: Told) -> OutputMessage:
        annotations = [self._annotation(citation) for citation in answer.citations]
        return OutputMessage(
            id=_item_id(answer.started.message_id),
            status="completed" if _status(answer) == "completed" else "incomplete",
            content=[OutputText(text=answer.text, annotations=annotations)],
        )

    def _annotation(self, citation: Citation) -> TextAnnotation:
        return TextAnnotation(**self.sources.annotation(citation))

    @property
    def _answer(self) -> Told:
        assert self.told is not None, "chat events begin with AnswerStarted"
        return self.told

    @property
    def _item_id(self) -> str:
        return _item_id(self._answer.started.message_id)

    @property
    def _part(self) -> dict[str, Any]:
        return {"item_id": self._item_id, **PART}


def _status(answer: Told) -> Literal["in_progress", "completed", "incomplete", "failed"]:
    if answer.done is None and answer.error is None:
        return "in_progress"
    if answer.error is not None and not answer.blocked:
        return "failed"
    return "incomplete" if answer.finish_reason in INCOMPLETE else "completed"


def usage(used: Usage) -> ResponseUsage:
    """Return what an answer took, in the response's words."""
    total = used.prompt_tokens + used.completion_tokens
    return ResponseUsage(input_tokens=used.prompt_tokens, output_tokens=used.completion_tokens, total_tokens=total)


def _failure(answer: Told) -> ResponseFailure:
    return ResponseFailure(message=error_object(answer.error or UnavailableError())["message"])


def _message_and_code(event: AnswerFailed) -> dict[str, Any]:
    error = error_object(event.error)
    return {"message": error["message"], "code": error["code"]}


def _item_id(message_id: UUID) -> str:
    return f"msg_{message_id.hex}"
