"""Bodies of requests and responses about permissions on a bot."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.http.models import ApiRequest, ApiResponse

BotPermission = Annotated[
    Literal["view", "edit", "manage"],
    Field(
        description="view: see and ask it, read its documents and conversations. edit: besides, change it and its "
        "documents, delete conversations. manage: besides, permissions, visibility, archive, deletion."
    ),
]


class GrantRequest(ApiRequest):
    """A permission on a bot."""

    permission: BotPermission


class BotMemberResponse(ApiResponse):
    """Somebody who was granted a permission on a bot. Their role may let them do more."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: Literal["owner", "admin", "editor", "viewer"]
    permission: Literal["view", "edit", "manage"]
    created_at: datetime
