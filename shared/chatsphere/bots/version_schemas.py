"""Bodies of requests and responses about bots' versions."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from chatsphere.bots.schemas import MAX_VERSION, ExpectedVersion
from chatsphere.http.models import ApiRequest, ApiResponse


class RollbackRequest(ApiRequest):
    """A version to go back to."""

    version: int = Field(ge=1, le=MAX_VERSION)
    expected_version: ExpectedVersion = None


class VersionSummaryResponse(ApiResponse):
    """A version of a bot: which, by whom and when."""

    version: int
    restored_from: int | None = Field(description="The version that was gone back to, where it was.")
    created_by: UUID | None = Field(description="Who made it; null where that is not known.")
    created_at: datetime


class VersionContent(ApiResponse):
    """What a bot was. Who saw it and whether it answered is not part of a version."""

    name: str
    description: str
    avatar: str | None
    welcome_message: str
    system_prompt: str
    model: str | None
    temperature: float
    configuration: dict[str, Any] = Field(description="The settings that were set; all others had their defaults.")


class VersionResponse(VersionSummaryResponse):
    """A version of a bot with its content."""

    content: VersionContent


class FieldChangeResponse(ApiResponse):
    """A field that differs; settings are named like `configuration.top_k`. What is not set is null."""

    field: str
    change: Literal["added", "changed", "removed"]
    before: Any = None
    after: Any = None


class VersionDiffResponse(ApiResponse):
    """How a bot came from one version to another."""

    version: int
    compared_with: int | None = Field(description="Null for the first version, which is compared with nothing.")
    changes: list[FieldChangeResponse]
