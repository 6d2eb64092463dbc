"""Bodies of chat's requests, responses and stream events."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.http.problem import Problem

MAX_METADATA_KEYS = 16


def not_blank(text: str) -> str:
    """Return the text, or refuse one that says nothing."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Text = Annotated[str, Field(min_length=1, max_length=8000), AfterValidator(not_blank)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)] | bool | int | Annotated[float, Field(allow_inf_nan=False)] | None


class SearchFilter(ApiRequest):
    """Which documents may be searched."""

    document_ids: list[UUID] | None = Field(default=None, max_length=1000, description="Only these documents.")

    def documents(self) -> frozenset[UUID] | None:
        """Return the documents, or None for all of them."""
        return None if self.document_ids is None else frozenset(self.document_ids)


class ChatRequest(ApiRequest):
    """A question to a bot."""

    message: Text
    conversation_id: UUID | None = Field(default=None, description="The conversation that goes on; null begins one.")
    user: str | None = Field(default=None, min_length=1, max_length=255, description="Your name for who is asking.")
    stream: bool = Field(default=False, description="Answer as Server-Sent Events.")
    metadata: dict[MetadataKey, MetadataValue] = Field(
        default_factory=dict, max_length=MAX_METADATA_KEYS, description="Kept with the message; flat."
    )
    filter: SearchFilter | None = None


class SearchRequest(ApiRequest):
    """A search of a bot's documents: exactly what chat retrieves."""

    query: Text
    limit: int | None = Field(default=None, ge=1, le=50, description="How many hits; null as many as chat takes.")
    filter: SearchFilter | None = None
    mode: Literal["fused", "dense", "lexical"] = Field(default="fused", description="Which scores decide.")


class StageScores(ApiResponse):
    """A hit's score at each stage; null where that stage did not find it."""

    dense: float | None = None
    lexical: float | None = None
    fused: float | None = None


class SearchHit(ApiResponse):
    """A chunk that was found."""

    chunk_id: UUID
    document_id: UUID
    document_name: str
    content: str
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    heading: str | None
    score: float
    scores: StageScores


class SearchResponse(ApiResponse):
    """Hits, best first."""

    data: list[SearchHit]
    confidence: float | None = Field(
        description="How sure retrieval is that the hits hold an answer, 0 to 1; null where only one mode searched."
    )


class CitationBody(ApiResponse):
    """A span of the answer and the quote that it rests on.

    Offsets count characters (Unicode code points), end exclusive: `answer_*` in the answer, `char_*` in the
    document's text.
    """

    number: int = Field(description="Which of `sources`.")
    document_id: UUID
    document_name: str
    chunk_id: UUID
    heading: str | None
    page: int | None = Field(description="Page on which the quote begins; null in formats without pages.")
    quote: str
    char_start: int
    char_end: int
    answer_start: int
    answer_end: int


class SourceSummary(ApiResponse):
    """A passage that the model was given, without its text."""

    number: int
    document_id: UUID
    document_name: str
    heading: str | None
    page_start: int | None
    page_end: int | None
    char_start: int
    char_end: int
    score: float


class SourceBody(SourceSummary):
    """A passage that the model was given."""

    content: str


class UsageBody(ApiResponse):
    """What the model call took."""

    prompt_tokens: int
    completion_tokens: int
    cost_microdollars: int


class Latency(ApiResponse):
    """Milliseconds: `total` and its parts. A part that did not happen is null."""

    load: int | None = None
    question: int | None = None
    retrieval: int | None = None
    first_token: int | None = Field(default=None, description="From the beginning to the answer's first character.")
    model: int | None = None
    persist: int | None = None
    total: int


class ChatResponse(ApiResponse):
    """An answer. When `answerable` is false, `answer` is the bot's fallback text and `reason` says why."""

    conversation_id: UUID
    message_id: UUID
    answer: str
    answerable: bool
    reason: str | None = Field(description="no_documents, no_relevant_passage or unsupported.")
    confidence: float
    finish_reason: str
    citations: list[CitationBody]
    sources: list[SourceBody]
    usage: UsageBody
    latency_ms: Latency
    model: str


class MetaEvent(ApiResponse):
    """`event: meta`: always the first."""

    conversation_id: UUID
    message_id: UUID
    bot_id: UUID
    model: str


class SourcesEvent(ApiResponse):
    """`event: sources`: the passages that the model is given."""

    sources: list[SourceBody]


class DeltaEvent(ApiResponse):
    """`event: delta`: the next piece of the answer."""

    text: str


class DoneEvent(ApiResponse):
    """`event: done`: the answer is complete and kept."""

    message_id: UUID
    finish_reason: str
    answerable: bool
    reason: str | None
    confidence: float
    usage: UsageBody
    cost_microdollars: int
    latency_ms: Latency


class ErrorEvent(Problem):
    """`event: error`: the answer is incomplete; nothing follows."""


class ConversationResponse(ApiResponse):
    """A conversation."""

    id: UUID
    bot_id: UUID
    user: str | None
    title: str
    channel: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class MessageResponse(ApiResponse):
    """A message of a conversation. What only answers have is null or empty in questions."""

    id: UUID
    role: Literal["user", "assistant", "system"]
    content: str
    citations: list[CitationBody]
    sources: list[SourceSummary]
    answerable: bool | None
    reason: str | None
    finish_reason: str | None
    model: str | None
    usage: UsageBody | None
    latency_ms: Latency | None
    metadata: dict[str, Any]
    created_at: datetime
