"""Bodies of feedback's requests and responses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse

Rating = Annotated[int, Field(strict=True, ge=1, le=5)]
MinRating = Annotated[int, Query(ge=1, le=5, description="Only this rating or a better one.")]
MaxRating = Annotated[int, Query(ge=1, le=5, description="Only this rating or a worse one.")]


class FeedbackRequest(ApiRequest):
    """What an end user says of an answer."""

    rating: Rating = Field(description="1 (worst) to 5 (best). Thumbs: down is 1, up is 5.")
    text: str | None = Field(default=None, min_length=1, max_length=4000, description="In their own words.")
    user: str | None = Field(
        default=None, min_length=1, max_length=255, description="Who says it; null: whose conversation it is."
    )


class FeedbackResponse(ApiResponse):
    """What one end user said of one answer."""

    message_id: UUID
    user: str | None
    rating: int
    text: str | None
    created_at: datetime
    updated_at: datetime


class RatedAnswerResponse(FeedbackResponse):
    """Feedback with what it is about. `question` and `answer` are null where the message is gone."""

    id: UUID
    conversation_id: UUID
    question: str | None
    answer: str | None
    answerable: bool | None
