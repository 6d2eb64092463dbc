"""Bodies of requests and responses about erasures of parts of an organization."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chatsphere.http.models import ApiRequest
from chatsphere.privacy.model import Part

PartKind = Literal["end_user", "document", "bot"]
ErasureStatus = Literal["pending", "running", "held", "done"]


class ErasureRequest(ApiRequest):
    """What is to be erased: an end user of one bot, or without `bot_id` of all bots; a document of a bot; or a bot."""

    kind: PartKind
    bot_id: UUID | None = None
    document_id: UUID | None = None
    end_user_id: Annotated[str | None, Field(min_length=1, max_length=255)] = None

    @model_validator(mode="after")
    def _names_what_it_is_about(self) -> Self:
        if self.kind != "end_user" and self.bot_id is None:
            raise ValueError("bot_id is required for a document or a bot")
        if (self.kind == "document") != (self.document_id is not None):
            raise ValueError("document_id is given for a document, and for nothing else")
        if (self.kind == "end_user") != (self.end_user_id is not None):
            raise ValueError("end_user_id is given for an end user, and for nothing else")
        return self

    def part(self, organization_id: UUID, now: datetime) -> Part:
        """Return what is to be erased of the organization."""
        return Part(self.kind, organization_id, self.bot_id, now, self.document_id, self.end_user_id)
