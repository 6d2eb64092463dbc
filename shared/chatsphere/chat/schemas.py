"""Bodies of chat's requests, responses and stream events."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, Field

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.http.problem import Problem
from chatsphere.knowledge.retrieval.schemas import ElsewhereBody, ExplanationBody, HitExplanationBody, SearchFilter

MAX_METADATA_KEYS = 16


def not_blank(text: str) -> str:
    """Return the text, or refuse one that says nothing."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Text = Annotated[str, Field(min_length=1, max_length=8000), AfterValidator(not_blank)]
BotVersion = Annotated[
    int | None,
    Field(ge=1, le=2**31 - 1, description="As the bot was at this version, to try it: takes the permission bot.edit."),
]
MetadataKey = Annotated[str, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)] | bool | int | Annotated[float, Field(allow_inf_nan=False)] | None


class EarlierMessage(ApiRequest):
    """A message before the question."""

    role: Literal["user", "assistant"]
    content: Text


History = Annotated[
    list[EarlierMessage],
    Field(max_length=20, description="What was said before, the oldest first, which the question leans on."),
]


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
    history: History | None = Field(default=None, description="Taken instead of the conversation's own messages.")
    bot_version: BotVersion = None


class SearchRequest(ApiRequest):
    """A search of a bot's documents: exactly what chat retrieves."""

    query: Text
    limit: int | None = Field(default=None, ge=1, le=50, description="How many hits; null as many as chat takes.")
    filter: SearchFilter | None = None
    mode: Literal["fused", "dense", "lexical"] = Field(default="fused", description="Which scores decide.")
    explain: bool = Field(default=False, description="With how each score came about.")
    history: History = Field(default_factory=list)
    bot_version: BotVersion = None


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
    also_in: list[ElsewhereBody] = Field(
        default_factory=list, description="Where the same passage was found as well, and folded into this hit."
    )
    explanation: HitExplanationBody | None = None


class SearchResponse(ApiResponse):
    """Hits, best first. `query` is what was searched for: the question with what it leaves to the history filled in."""

    data: list[SearchHit]
    query: str
    confidence: float | None = Field(
        description="How sure retrieval is that the hits hold an answer, 0 to 1; null where only one mode searched."
    )
    explanation: ExplanationBody | None = None


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
    """What the question took, all calls of models together."""

    prompt_tokens: int
    completion_tokens: int
    embedding_tokens: int = Field(default=0, description="Of the question, for the search.")
    cost_microdollars: int


class Latency(ApiResponse):
    """Milliseconds: `total` and its parts. A part that did not happen is null."""

    load: int | None = None
    # Messages of former releases have their second names.
    cache: int | None = Field(default=None, description="Asking the cache of answers, where it is asked.")
    rewrite: int | None = Field(default=None, validation_alias=AliasChoices("rewrite", "question"))
    embed: int | None = None
    retrieve: int | None = Field(default=None, validation_alias=AliasChoices("retrieve", "retrieval"))
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
    cached: bool = Field(default=False, description="Taken from the cache: nothing was used. See the bot's `cache`.")


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
    cached: bool = False


class ErrorEvent(Problem):
    """`event: error`: the answer is incomplete; nothing follows."""


class ConversationResponse(ApiResponse):
    """A conversation. `updated_at` is when it was last used."""

    id: UUID
    bot_id: UUID
    user: str | None
    title: str
    channel: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    archived_at: datetime | None
    message_count: int
    last_message_at: datetime | None
    preview: str | None = Field(description="How the last message begins, in one line.")


class UpdateConversationRequest(ApiRequest):
    """What of a conversation is changed; what is left out stays. Asking again goes on with one that was ended."""

    title: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(not_blank)] = unchanged()
    metadata: Annotated[
        dict[MetadataKey, MetadataValue],
        Field(max_length=MAX_METADATA_KEYS, description="Replaces what there is; flat."),
    ] = unchanged()
    ended: bool = unchanged()
    archived: bool = unchanged()


class MessageFeedback(ApiResponse):
    """What one end user said of an answer."""

    user: str | None
    rating: int
    text: str | None
    created_at: datetime
    updated_at: datetime


class MessageResponse(ApiResponse):
    """A message of a conversation. What only answers have is null or empty in questions."""

    id: UUID
    conversation_id: UUID
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
    cached: bool = Field(default=False, description="Whether the answer was taken from the cache.")
    feedback: list[MessageFeedback]
    metadata: dict[str, Any]
    created_at: datetime
