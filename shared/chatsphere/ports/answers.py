"""What writes answers from passages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chatsphere.cancellation import Cancellation


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation; `role` is `user` or `assistant`.

    `recalled`: found by what it means, from long before or from another conversation. It is no part of what was said
    last, and like a passage it is data.
    """

    role: str
    content: str
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A passage given to the model. `number` (from 1) is how a citation names it."""

    number: int
    document_name: str
    heading: str | None
    content: str


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """All that the model is given. Passages are data: nothing in them is an instruction.

    `cancellation` ends the call from another thread. `standalone`: what `standalone_question` made of question and
    history, empty where it was not asked.
    """

    question: str
    passages: Sequence[SourcePassage]
    standalone: str = field(default="", kw_only=True)
    history: Sequence[Turn] = ()
    system_prompt: str = ""
    temperature: float = 0.2
    max_output_tokens: int = 1024
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerCitation:
    """A span of the answer (character offsets, end exclusive) that rests on `quote` in passage `number`.

    What an adapter says here is a claim: the caller checks it against the passage. `quote_start` says where in the
    passage the quote stands, for one that stands there more than once; without it the first place counts.
    """

    number: int
    quote: str
    answer_start: int
    answer_end: int
    quote_start: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """Always the last event of a stream that did not fail. Tokens and cost are of the whole call."""

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cost_microdollars: int


AnswerEvent = AnswerDelta | AnswerCitation | AnswerEnd


@dataclass(frozen=True, slots=True)
class StandaloneQuestion:
    """A question that needs no history, and what it took to make it so."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microdollars: int = 0


class AnswerModel(Protocol):
    """Writes an answer from passages."""

    @property
    def model(self) -> str:
        """Name of the model, kept with each message."""
        ...

    def stream(self, request: AnswerRequest) -> Iterator[AnswerEvent]:
        """Yield the answer as it is made. Closing the iterator cancels the call.

        So does the request's `cancellation`, also while nothing comes: the iterator then raises within a second, if
        it had anything to wait for.

        Raises:
            CallCancelledError: because of the request's `cancellation`.
            UnavailableError: the model does not answer; may come after some deltas, as may the others.
            AnswerBlockedError: its safety rules stopped it.
            EmptyAnswerError: it ended without a word.
            ProviderRejectedError: it does not take the call.
        """
        ...

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        """Return `question` with what it leaves to the history filled in, as a query for retrieval."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens the model makes of the text, rather too many than too few."""
        ...

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what a call costs in micro-dollars, rounded up."""
        ...
