"""Bodies of what clients of OpenAI's API send. What they may send and nothing here can heed is named as such."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatsphere.chat.openai.asking import Said
from chatsphere.http.models import ApiRequest

REFERS: Final = "x-refers-to"
"""JSON schema extension of a text that names one of our objects without being an id."""

ModelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        description="A bot's slug or id.",
        json_schema_extra={REFERS: "bot"},
    ),
]
Ignored = Annotated[Any, Field(default=None, description="Accepted; it changes nothing here.")]
Refused = Annotated[Any, Field(default=None, description="Refused unless it asks for nothing that is not done here.")]
Tokens = Annotated[int, Field(ge=1, le=2**31 - 1, description="No more than the bot's own limit.")]
Temperature = Annotated[float, Field(ge=0, le=2)]
EndUser = Annotated[str, Field(max_length=255, description="Your name for who is asking.")]
StopSequence = Annotated[str, Field(max_length=500)]
Metadata = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(
        max_length=16,
        description="Kept with the question. `conversation_id`: the conversation of ours that goes on.",
    ),
]


class Addressed(BaseModel):
    """As much of a body as says which bot is meant."""

    model_config = ConfigDict(extra="ignore")

    model: ModelName


class Message(ApiRequest):
    """A message of the client's history, or the question."""

    # A client sends back what it was given, whatever that holds.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = Field(default=None, description="A text, or parts of text.")
    tool_calls: list[Any] | None = None
    function_call: Any = None


class StreamOptions(ApiRequest):
    """What a stream holds besides the answer."""

    include_usage: bool | None = Field(default=None, description="A last chunk says what the answer took.")
    include_obfuscation: bool | None = Field(default=None, description="Accepted; it changes nothing here.")


class OpenAiRequest(ApiRequest):
    """What both kinds of requests hold."""

    # Made at first use: the function that holds them starts sooner.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    model: ModelName
    stream: bool | None = Field(default=None, description="Answer as Server-Sent Events.")
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    metadata: Metadata | None = None
    store: bool | None = Field(
        default=None, description="Accepted; every turn is kept as the organization's retention says."
    )
    user: EndUser | None = None
    safety_identifier: EndUser | None = Field(default=None, description="As `user`, before which it goes.")
    top_p: Ignored
    service_tier: Ignored
    parallel_tool_calls: Ignored
    prompt_cache_key: Ignored
    prompt_cache_options: Ignored
    prompt_cache_retention: Ignored
    tools: Refused
    tool_choice: Refused
    moderation: Refused
    top_logprobs: Refused

    def end_user(self) -> str | None:
        """Return the client's name for who is asking."""
        return self.safety_identifier or self.user or None


class ChatCompletionRequest(OpenAiRequest):
    """A question to a bot, with the client's history of the conversation before it."""

    messages: list[Message] = Field(min_length=1, max_length=1000)
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = Field(default=None, description="As `max_tokens`, before which it goes.")
    n: Literal[1] | None = Field(default=None, description="One answer.")
    stop: StopSequence | Annotated[list[StopSequence], Field(max_length=4)] | None = Field(
        default=None, description="Texts before which an answer ends."
    )
    frequency_penalty: Ignored
    presence_penalty: Ignored
    logit_bias: Ignored
    seed: Ignored
    reasoning_effort: Ignored
    verbosity: Ignored
    prediction: Ignored
    functions: Refused
    function_call: Refused
    response_format: Refused
    logprobs: Refused
    modalities: Refused
    audio: Refused
    web_search_options: Refused

    def said(self) -> Iterator[Said]:
        """Yield the messages."""
        for place, message in enumerate(self.messages):
            yield Said(message.role, message.content, f"body/messages/{place}")


class ResponseInput(ApiRequest):
    """An item of a response's input: a message."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[dict[str, Any]] | None = Field(default=None, description="A text, or parts of text.")


class CreateResponseRequest(OpenAiRequest):
    """A question to a bot; what was said before is in `input`, or is kept and named by `previous_response_id`."""

    input: str | list[ResponseInput] = Field(min_length=1)
    instructions: str | None = Field(default=None, description="Stands below the bot's own system prompt.")
    previous_response_id: str | None = Field(
        default=None,
        max_length=255,
        description="The response whose conversation goes on.",
        json_schema_extra={REFERS: "message"},
    )
    max_output_tokens: Tokens | None = None
    truncation: Ignored
    reasoning: Ignored
    include: Ignored
    max_tool_calls: Ignored
    context_management: Ignored
    text: Refused
    background: Refused
    prompt: Refused
    conversation: Refused

    def said(self) -> Iterator[Said]:
        """Yield the messages of `input`; `instructions` is one, too."""
        if self.instructions:
            yield Said("system", self.instructions, "body/instructions")
        if isinstance(self.input, str):
            yield Said("user", self.input, "body/input")
            return
        for place, item in enumerate(self.input):
            yield Said(item.role or "", item.content, f"body/input/{place}")
