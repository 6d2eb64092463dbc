"""Bodies of the bots' requests and responses."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import BotDraft
from chatsphere.http.models import ApiRequest, ApiResponse, unchanged

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=5000)]
Avatar = Annotated[str, Field(max_length=2000, description="Address of a picture.")]
WelcomeMessage = Annotated[str, Field(max_length=2000)]
SystemPrompt = Annotated[str, Field(max_length=20_000, description="What the answer model is told about its part.")]
Model = Annotated[str, Field(min_length=1, max_length=200, description="Answer model; null for the default.")]
Temperature = Annotated[float, Field(ge=0, le=2)]
Visibility = Annotated[
    Literal["private", "organization", "public"],
    Field(description="Kept for later: as yet every member of the organization, and nobody else, sees every bot."),
]

DRAFT = BotDraft(name="")


class CreateBotRequest(ApiRequest):
    """A new bot; everything but its name has a default."""

    name: Name
    description: Description = DRAFT.description
    avatar: Avatar | None = None
    welcome_message: WelcomeMessage = DRAFT.welcome_message
    system_prompt: SystemPrompt = DRAFT.system_prompt
    model: Model | None = None
    temperature: Temperature = DRAFT.temperature
    visibility: Visibility = "organization"
    configuration: BotConfiguration = Field(default_factory=BotConfiguration)

    def draft(self) -> BotDraft:
        """Return the bot to be made."""
        return BotDraft(**dict(self))


class UpdateBotRequest(ApiRequest):
    """Changes of a bot: what is left out stays, also within `configuration`."""

    name: Name = unchanged()
    description: Description = unchanged()
    avatar: Avatar | None = unchanged()
    welcome_message: WelcomeMessage = unchanged()
    system_prompt: SystemPrompt = unchanged()
    model: Model | None = unchanged()
    temperature: Temperature = unchanged()
    visibility: Visibility = unchanged()
    is_active: bool = unchanged()
    configuration: BotConfiguration = unchanged()

    def changes(self) -> dict[str, Any]:
        """Return the fields that were given, but for the configuration."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"configuration"}}

    def configuration_changes(self) -> BotConfiguration | None:
        """Return the settings that were given."""
        return self.configuration if "configuration" in self.model_fields_set else None


class BotResponse(ApiResponse):
    """A bot."""

    id: UUID
    organization_id: UUID
    name: str
    description: str
    avatar: str | None
    welcome_message: str
    system_prompt: str
    model: str | None
    temperature: float
    visibility: Literal["private", "organization", "public"]
    configuration: BotConfiguration
    is_active: bool
    status: Literal["draft", "uploading", "training", "trained", "error", "archived"]
    created_at: datetime
    updated_at: datetime
