"""Bodies of what visitors of public bots ask and are answered: no text of documents but the quotes that an answer rests
on, and nothing of what it cost."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chatsphere.chat.schemas import CitationBody, SourceSummary, not_blank
from chatsphere.http.models import ApiRequest, ApiResponse

MAX_QUESTION_CHARS = 2000


class PublicChatRequest(ApiRequest):
    """A visitor's question to a public bot."""

    message: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARS), AfterValidator(not_blank)]
    conversation_id: UUID | None = Field(
        default=None, description="A visitor's conversation with this bot that goes on; null begins one."
    )
    stream: bool = Field(default=False, description="Answer as Server-Sent Events.")


class PublicChatResponse(ApiResponse):
    """An answer. When `answerable` is false, `answer` is the bot's fallback text and `reason` says why."""

    conversation_id: UUID
    message_id: UUID
    answer: str
    answerable: bool
    reason: str | None
    finish_reason: str
    citations: list[CitationBody]
    sources: list[SourceSummary]


class PublicMetaEvent(ApiResponse):
    """`event: meta`: always the first."""

    conversation_id: UUID
    message_id: UUID
    bot_id: UUID


class PublicSourcesEvent(ApiResponse):
    """`event: sources`: which passages the model is given, without their text."""

    sources: list[SourceSummary]


class PublicDoneEvent(ApiResponse):
    """`event: done`: the answer is complete and kept."""

    message_id: UUID
    finish_reason: str
    answerable: bool
    reason: str | None
