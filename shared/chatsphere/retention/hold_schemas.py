"""Bodies of the requests and responses of legal holds."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chatsphere.http.models import ApiRequest, ApiResponse
from chatsphere.retention.hold_records import HoldDraft


class HoldRequest(ApiRequest):
    """What is to be held: nothing named, the organization; a bot; a conversation; or an end user of a bot."""

    reason: Annotated[
        str, Field(min_length=1, max_length=2000, pattern=r"\S", description="Why: a case's number, for instance.")
    ]
    bot_id: UUID | None = None
    conversation_id: UUID | None = None
    end_user_id: Annotated[
        str | None, Field(min_length=1, max_length=255, description="With `bot_id`: all that this end user said.")
    ] = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.conversation_id is not None and (self.bot_id is not None or self.end_user_id is not None):
            raise PydanticCustomError("one_subject", "Name a conversation without a bot or an end user")
        if self.end_user_id is not None and self.bot_id is None:
            raise PydanticCustomError("bot_missing", "Name the bot of the end user")
        return self

    def draft(self) -> HoldDraft:
        """Return what is to be held."""
        return HoldDraft(self.reason, self.bot_id, self.conversation_id, self.end_user_id)


class HoldResponse(ApiResponse):
    """A legal hold. A released one stays as a record; it forgets an end user who was erased since."""

    id: UUID
    subject: Literal["organization", "bot", "conversation", "end_user"]
    bot_id: UUID | None
    conversation_id: UUID | None
    end_user_id: str | None
    reason: str
    made_by: UUID | None
    made_by_key: UUID | None
    made_at: datetime
    released_by: UUID | None
    released_by_key: UUID | None
    released_at: datetime | None
