"""Bodies of the requests and responses about questions without an answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged

Status = Literal["open", "resolved", "ignored"]
StatusFilter = Annotated[Status | None, Query(description="Only of this status.")]


class UnansweredQuestionResponse(ApiResponse):
    """A question that the bot had no answer to, however often it was asked.

    `question` is as it was asked last, with what it left to the conversation filled in; null where that message has
    gone.
    """

    id: UUID
    bot_id: UUID
    question: str | None
    reason: str = Field(description="no_documents, no_relevant_passage or unsupported: of the last time.")
    status: Status
    note: str
    asked_count: int
    conversations: int
    first_asked_at: datetime
    last_asked_at: datetime
    best_confidence: float
    messages: list[UUID] = Field(description="The last five messages that asked it, the newest first.")
    reviewed_at: datetime | None


class UpdateUnansweredQuestionRequest(ApiRequest):
    """What came of a question; what is left out stays. A resolved one that is asked again in vain is open again."""

    status: Status = unchanged()
    note: Annotated[str, Field(max_length=2000)] = unchanged()
