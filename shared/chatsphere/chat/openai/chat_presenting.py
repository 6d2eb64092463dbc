"""Chat's events as chat completions: one object, or chunks of one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chatsphere.chat.events import AnswerDone, AnswerFailed, AnswerStarted, ChatEvent, Cited, TextAdded, Usage
from chatsphere.chat.openai.annotating import Sources
from chatsphere.chat.openai.presenting import data_frame, details, named_frame
from chatsphere.chat.openai.response_schemas import (
    ChatAnnotation,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    ChunkDelta,
    CompletionMessage,
    CompletionUsage,
    UrlCitation,
)
from chatsphere.chat.openai.told import Told, told
from chatsphere.http.openai_errors import openai_problem

DONE: Final = b"data: [DONE]\n\n"


@dataclass(slots=True)
class CompletionPresenter:
    """Presents one answer. `include_usage`: a last chunk says what it took."""

    model: str
    sources: Sources
    request_id: str
    metadata: Mapping[str, str] | None = None
    include_usage: bool = False
    told: Told | None = field(default=None, init=False)

    def collected(self, events: Iterable[ChatEvent]) -> ChatCompletion:
        """Run the events to their end and return the whole answer.

        Raises:
            ChatSphereError: the answer failed.
        """
        answer = told(events)
        annotations = [self._annotation(Cited(citation)) for citation in answer.citations]
        message = CompletionMessage(content=answer.text, annotations=annotations)
        return ChatCompletion(
            id=_id(answer),
            created=answer.created,
            model=self.model,
            choices=[Choice(message=message, finish_reason=answer.finish_reason)],
            usage=_usage(answer.usage),
            metadata=None if self.metadata is None else dict(self.metadata),
            chatsphere=details(answer),
        )

    def frame(self, event: ChatEvent) -> bytes:
        """Return an event's frames, never none. One that failed begins with `event: error`, which ends the stream."""
        if isinstance(event, AnswerStarted):
            self.told = Told(event)
            return self._chunk(ChunkDelta(role="assistant", content=""))
        if self.told is not None:
            self.told.add(event)
        match event:
            case TextAdded(text):
                return self._chunk(ChunkDelta(content=text))
            case Cited():
                return self._chunk(ChunkDelta(annotations=[self._annotation(event)]))
            case AnswerFailed(error) if self.told is None or not self.told.blocked:
                return named_frame("error", openai_problem(error, self.request_id))
            case AnswerDone() | AnswerFailed():
                return self._last()
        raise AssertionError(f"{type(event).__name__} has no frame")

    def _last(self) -> bytes:
        answer = self._answer
        choice = ChunkChoice(delta=ChunkDelta(), finish_reason=answer.finish_reason)
        frames = self._framed([choice], chatsphere=details(answer))
        if self.include_usage:
            frames += self._framed([], usage=_usage(answer.usage))
        return frames + DONE

    def _chunk(self, delta: ChunkDelta) -> bytes:
        return self._framed([ChunkChoice(delta=delta)])

    def _framed(self, choices: list[ChunkChoice], **more: Any) -> bytes:
        chunk = ChatCompletionChunk(
            id=_id(self._answer), created=self._answer.created, model=self.model, choices=choices, **more
        )
        body = chunk.model_dump(mode="json")
        # Both are absent where they say nothing, but for a usage that was asked for.
        if chunk.usage is None and not self.include_usage:
            del body["usage"]
        if chunk.chatsphere is None:
            del body["chatsphere"]
        for choice in body["choices"]:
            choice["delta"] = {name: value for name, value in choice["delta"].items() if value is not None}
        return data_frame(body)

    def _annotation(self, event: Cited) -> ChatAnnotation:
        return ChatAnnotation(url_citation=UrlCitation(**self.sources.annotation(event.citation)))

    @property
    def _answer(self) -> Told:
        assert self.told is not None, "chat events begin with AnswerStarted"
        return self.told


def _id(answer: Told) -> str:
    return f"chatcmpl-{answer.started.message_id.hex}"


def _usage(usage: Usage) -> CompletionUsage:
    total = usage.prompt_tokens + usage.completion_tokens
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, total_tokens=total
    )
