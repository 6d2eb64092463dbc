"""Bodies of the search in messages."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.chat.schemas import MAX_METADATA_KEYS, MessageResponse, MetadataKey, MetadataValue, Text
from chatsphere.http.models import ApiRequest, ApiResponse


class ConversationSearchRequest(ApiRequest):
    """What is looked for in a bot's conversations: a query, or conditions, or both."""

    bot_id: UUID
    query: Text | None = Field(default=None, description="Words, or what was meant; null: whatever meets the rest.")
    mode: Literal["both", "fulltext", "semantic"] = Field(
        default="both",
        description="`fulltext`: messages that hold all words, the newest first, page by page. `semantic`: those that "
        "mean something alike, the nearest first. `both`: what either finds, the best of both first.",
    )
    user: str | None = Field(default=None, min_length=1, max_length=255, description="Only this end user's.")
    conversation_id: UUID | None = None
    role: Literal["user", "assistant", "system"] | None = None
    after: AwareDatetime | None = Field(default=None, description="Only what was said then or later.")
    before: AwareDatetime | None = Field(default=None, description="Only what was said before.")
    metadata: Annotated[
        dict[MetadataKey, MetadataValue] | None,
        Field(max_length=MAX_METADATA_KEYS, description="Only messages with each of these values; flat."),
    ] = None
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(
        default=None, max_length=100, description="`next_cursor` of the page before; not with `semantic` and `both`."
    )

    @model_validator(mode="after")
    def _narrow(self) -> "ConversationSearchRequest":
        if self.query is None and not (self.metadata or self.conversation_id or self.user):
            raise PydanticCustomError("too_wide", "Say query, metadata, conversation_id or user")
        if self.cursor is not None and self.query is not None and self.mode != "fulltext":
            raise PydanticCustomError("no_pages", "Only fulltext has further pages")
        return self


class Highlight(ApiResponse):
    """A found word in the snippet: characters, end exclusive."""

    start: int
    end: int


class FoundConversation(ApiResponse):
    """The conversation that a found message is in."""

    id: UUID
    title: str
    user: str | None
    channel: str


class MessageScores(ApiResponse):
    """Why it was found; null where that side did not find it."""

    fulltext: float | None
    semantic: float | None
    fused: float | None


class FoundMessage(ApiResponse):
    """A message that was found. `snippet` begins at `snippet_start` of its content."""

    message: MessageResponse
    conversation: FoundConversation
    snippet: str
    snippet_start: int
    highlights: list[Highlight]
    scores: MessageScores


class ConversationSearchResponse(ApiResponse):
    """A page of what was found."""

    data: list[FoundMessage]
    next_cursor: str | None
    has_more: bool
