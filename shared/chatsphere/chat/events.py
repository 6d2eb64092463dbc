"""What happens while a question is answered, in the order in which a client hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chatsphere.errors import ChatSphereError


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that the model was given; `number` (from 1) is what citations refer to."""

    number: int
    document_id: UUID
    document_name: str
    heading: str | None
    content: str
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    score: float
    chunk_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A span of the answer and the quote it rests on, found again in the document.

    Offsets are in characters, end exclusive: `answer_*` in the answer, `char_*` in the document's text.
    """

    number: int
    document_id: UUID
    document_name: str
    chunk_id: UUID
    heading: str | None
    page: int | None
    quote: str
    char_start: int
    char_end: int
    answer_start: int
    answer_end: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What the calls of models took: of the one that answers, and of the one that embeds. The cost is of both."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microdollars: int = 0
    embedding_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them, which is what a budget counts."""
        return self.prompt_tokens + self.completion_tokens + self.embedding_tokens

    def __add__(self, other: "Usage") -> "Usage":
        """Return what two calls took together."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_microdollars + other.cost_microdollars,
            self.embedding_tokens + other.embedding_tokens,
        )


@dataclass(frozen=True, slots=True)
class AnswerStarted:
    """Always the first event: the question was accepted. `message_id` will be the answer's."""

    conversation_id: UUID
    message_id: UUID
    bot_id: UUID
    model: str


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """The passages that the model is given; none when the question is refused."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class TextAdded:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation that was checked."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class AnswerDone:
    """The last event of an answer that is complete and kept."""

    message_id: UUID
    finish_reason: str
    answerable: bool
    reason: str | None
    confidence: float
    usage: Usage
    latency_ms: Mapping[str, int]
    cached: bool = False


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """The last event of an answer that is not: what came before it is all there is."""

    error: ChatSphereError


ChatEvent = AnswerStarted | SourcesFound | TextAdded | Cited | AnswerDone | AnswerFailed
