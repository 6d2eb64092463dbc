"""Request parameters and responses of the audit log."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from chatsphere.http.models import ApiResponse

ActorUser = Annotated[UUID | None, Query(description="Only what this person did, also by keys that they made.")]
ActorApiKey = Annotated[UUID | None, Query(description="Only what was done with this key.")]
Action = Annotated[
    str | None, Query(pattern=r"^[a-z_]+\.[a-z_]+$", max_length=100, description="Only this, as `bot.updated`.")
]
ObjectType = Annotated[
    str | None, Query(pattern=r"^[a-z_]+$", max_length=100, description="Only objects of this kind.")
]
ObjectId = Annotated[
    str | None, Query(pattern=r"^[0-9A-Za-z._:/-]+$", max_length=100, description="Only the object with this id.")
]
Since = Annotated[AwareDatetime | None, Query(description="Only what happened then or later.")]
Until = Annotated[AwareDatetime | None, Query(description="Only what happened before.")]
Lines = Annotated[int, Query(ge=1, le=10_000, description="How many lines at most.")]


class AuditEntryResponse(ApiResponse):
    """Who did what to which object, when, and from where.

    `actor_user_id` is null where a job of the service acted. `before` and `after` hold what changed, and a little more
    to know the object by; secrets never, and of what is personal only "[personal]".
    """

    id: UUID
    organization_id: UUID
    action: str
    object_type: str
    object_id: str | None
    actor_user_id: UUID | None
    actor_api_key_id: UUID | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    created_at: datetime
