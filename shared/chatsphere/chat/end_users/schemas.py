"""Bodies of the responses about end users."""

from datetime import datetime

from pydantic import Field

from chatsphere.http.models import ApiResponse


class EndUserResponse(ApiResponse):
    """What an end user of a bot did, in the conversations that are there."""

    user: str
    conversations: int
    messages: int
    questions: int
    answered_share: float | None = Field(description="Of the answers, those that rest on documents; null without any.")
    first_seen_at: datetime
    last_seen_at: datetime
    prompt_tokens: int
    completion_tokens: int
    cost_microdollars: int
    ratings: int
    mean_rating: float | None
