"""Stop sequences: an answer ends before the first of them, and so does the model's call."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatsphere.chat.estimating import about_spent
from chatsphere.ports.answers import (
    AnswerCitation,
    AnswerDelta,
    AnswerEnd,
    AnswerEvent,
    AnswerModel,
    AnswerRequest,
    StandaloneQuestion,
    Turn,
)

STOPPED: Final = "stop"


class StoppingModel:
    """An `AnswerModel` that stops at any of the sequences, none of which is empty, and says nothing of it."""

    def __init__(self, model: AnswerModel, sequences: Sequence[str]) -> None:
        self._model = model
        self._sequences = tuple(sequences)

    @property
    def model(self) -> str:
        """See `AnswerModel.model`."""
        return self._model.model

    def stream(self, request: AnswerRequest) -> Iterator[AnswerEvent]:
        """See `AnswerModel.stream`. Of a call that was ended, it says about how many tokens it took."""
        held = _Held(self._sequences)
        events = self._model.stream(request)
        try:
            for event in events:
                match event:
                    case AnswerDelta(text):
                        yield from held.add(text)
                        if held.stopped:
                            break
                    case AnswerCitation():
                        yield from held.cite(event)
                    case AnswerEnd():
                        yield from held.rest()
                        yield event
                        return
        finally:
            # Closing ends the call; an iterator that cannot be closed has nothing to end.
            if isinstance(events, Generator):
                events.close()
        if held.stopped:
            prompt, completion = about_spent(request, held.told, self._model)
            yield AnswerEnd(STOPPED, prompt, completion, self._model.cost(prompt, completion))

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        """See `AnswerModel.standalone_question`."""
        return self._model.standalone_question(question, history)

    def count_tokens(self, text: str) -> int:
        """See `AnswerModel.count_tokens`."""
        return self._model.count_tokens(text)

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """See `AnswerModel.cost`."""
        return self._model.cost(prompt_tokens, completion_tokens)


@dataclass(slots=True)
class _Held:
    """What was told, and what is held back because a stop sequence may begin in it."""

    sequences: tuple[str, ...]
    told: str = ""
    waiting: str = ""
    claims: list[AnswerCitation] = field(default_factory=list)
    stopped: bool = False

    def add(self, text: str) -> Iterator[AnswerEvent]:
        """Yield what of the text so far is certain to belong to the answer."""
        self.waiting += text
        found = [place for each in self.sequences if (place := self.waiting.find(each)) >= 0]
        if found:
            self.stopped = True
            yield from self._tell(min(found))
            return
        yield from self._tell(len(self.waiting) - self._begun())

    def cite(self, claim: AnswerCitation) -> Iterator[AnswerEvent]:
        """Yield the claim as soon as all that it is about was told."""
        self.claims.append(claim)
        yield from self._tell(0)

    def rest(self) -> Iterator[AnswerEvent]:
        """Yield all: no more comes in which a sequence could end."""
        yield from self._tell(len(self.waiting))

    def _begun(self) -> int:
        """Return how many of the last characters may be the beginning of a sequence."""
        return max(
            (
                length
                for each in self.sequences
                for length in range(1, min(len(each), len(self.waiting) + 1))
                if self.waiting.endswith(each[:length])
            ),
            default=0,
        )

    def _tell(self, length: int) -> Iterator[AnswerEvent]:
        text, self.waiting = self.waiting[:length], self.waiting[length:]
        if text:
            self.told += text
            yield AnswerDelta(text)
        ready = [claim for claim in self.claims if claim.answer_end <= len(self.told)]
        self.claims = [claim for claim in self.claims if claim.answer_end > len(self.told)]
        yield from ready
