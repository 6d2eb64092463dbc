"""Bodies of what clients of OpenAI's API are answered: their own fields, and beside them `chatsphere` with ours."""

from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chatsphere.chat.schemas import CitationBody, Latency
from chatsphere.http.models import ApiResponse


class Shape(ApiResponse):
    """Base of these bodies. Their validators are made at first use: the function that holds them starts sooner."""

    model_config = ConfigDict(from_attributes=True, frozen=True, defer_build=True)


class Details(Shape):
    """What of an answer has no place of its own in OpenAI's shapes."""

    conversation_id: UUID
    message_id: UUID
    answerable: bool
    reason: str | None
    confidence: float
    citations: list[CitationBody]
    latency_ms: Latency
    cost_microdollars: int


class UrlCitation(Shape):
    """A span of the answer and where it rests: `url` leads to the source, for whoever may read the bot's documents.

    Offsets count characters (Unicode code points), end exclusive. All after `url` are additions of ours.
    """

    start_index: int
    end_index: int
    title: str
    url: str
    document_id: UUID
    page: int | None
    heading: str | None
    quote: str
    char_start: int
    char_end: int


class ChatAnnotation(Shape):
    """A citation in a chat completion."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class TextAnnotation(UrlCitation):
    """A citation in a response."""

    type: Literal["url_citation"] = "url_citation"


class CompletionUsage(Shape):
    """What an answer took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionMessage(Shape):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[ChatAnnotation]


FinishReason = Literal["stop", "length", "content_filter"]


class Choice(Shape):
    """The one choice of a completion."""

    index: int = 0
    message: CompletionMessage
    logprobs: None = None
    finish_reason: FinishReason


class ChatCompletion(Shape):
    """An answer in one piece. Where the documents hold none, it is the bot's fallback text."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(description="Seconds since 1970.")
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    metadata: dict[str, str] | None = None
    chatsphere: Details | None = Field(description="Null where the model's safety rules ended the answer.")


class ChunkDelta(Shape):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    annotations: list[ChatAnnotation] | None = None


class ChunkChoice(Shape):
    """The one choice of a chunk."""

    index: int = 0
    delta: ChunkDelta
    logprobs: None = None
    finish_reason: FinishReason | None = None


class ChatCompletionChunk(Shape):
    """A piece of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    chatsphere: Details | None = Field(default=None, description="In the chunk that has a `finish_reason`.")


class InputTokensDetails(Shape):
    """Of the tokens that were read: none was cached."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Shape):
    """Of the tokens that were written: none is thought that is not shown."""

    reasoning_tokens: int = 0


class ResponseUsage(Shape):
    """What an answer took."""

    input_tokens: int
    input_tokens_details: InputTokensDetails = Field(default_factory=InputTokensDetails)
    output_tokens: int
    output_tokens_details: OutputTokensDetails = Field(default_factory=OutputTokensDetails)
    total_tokens: int


class OutputText(Shape):
    """The answer's text."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[TextAnnotation]
    logprobs: list[Any] = Field(default_factory=list)


class OutputMessage(Shape):
    """The answer."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Literal["in_progress", "completed", "incomplete"]
    content: list[OutputText]


class ResponseFailure(Shape):
    """Why a response is not complete."""

    code: Literal["server_error"] = "server_error"
    message: str


class IncompleteDetails(Shape):
    """What ended a response early."""

    reason: Literal["max_output_tokens", "content_filter"]


class ResponseBody(Shape):
    """An answer, or as much of it as there is."""

    id: str
    object: Literal["response"] = "response"
    created_at: int = Field(description="Seconds since 1970.")
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    background: bool = False
    error: ResponseFailure | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    model: str
    output: list[OutputMessage]
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    store: bool = True
    temperature: float | None = None
    text: dict[str, Any] = Field(default_factory=lambda: {"format": {"type": "text"}})
    tool_choice: str = "auto"
    tools: list[Any] = Field(default_factory=list)
    top_p: float | None = None
    truncation: str = "disabled"
    usage: ResponseUsage | None = None
    user: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    chatsphere: Details | None = None


class Model(Shape):
    """A bot, as a model that may be asked."""

    id: str = Field(description="The bot's slug, or its id where it has none.")
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970.")
    owned_by: str = Field(description="The organization's name.")


class ModelList(Shape):
    """The bots that the caller may chat with."""

    object: Literal["list"] = "list"
    data: list[Model]
