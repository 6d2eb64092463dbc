"""Bodies of the bots' requests and responses."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from chatsphere.access.permissions import BotLevel
from chatsphere.bots.changing import BotChange
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import Bot, BotDraft
from chatsphere.bots.slugs import FORM, has_id_form
from chatsphere.http.models import ApiRequest, ApiResponse, unchanged

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _no_id(slug: str) -> str:
    if has_id_form(slug):
        raise ValueError("must not have the form of an id")
    return slug


Slug = Annotated[
    str,
    Field(
        pattern=FORM,
        max_length=63,
        description="The `model` by which OpenAI clients ask for the bot; its own within the organization.",
    ),
    AfterValidator(_no_id),
]
Description = Annotated[str, Field(max_length=5000)]
Avatar = Annotated[str, Field(max_length=2000, description="Address of a picture.")]
WelcomeMessage = Annotated[str, Field(max_length=2000)]
SystemPrompt = Annotated[str, Field(max_length=20_000, description="What the answer model is told about its part.")]
Model = Annotated[str, Field(min_length=1, max_length=200, description="Answer model; null for the default.")]
# Stored in single precision, which does not reach down to every number above 0.
Temperature = Annotated[
    float, Field(ge=0, le=2, description="Kept to four decimal places."), AfterValidator(lambda given: round(given, 4))
]
Visibility = Annotated[
    Literal["private", "organization", "public"],
    Field(
        description="Who sees the bot. private: whoever was granted a permission on it, admins and owners. "
        "organization: every member. public: besides, anybody without a credential, at `/v1/public/bots/{bot_id}`."
    ),
]
MAX_VERSION = 2**31 - 1
ExpectedVersion = Annotated[
    int | None,
    Field(ge=1, le=MAX_VERSION, description="Refuse with 409 `version_conflict` if the bot is at another version."),
]

DRAFT = BotDraft(name="")


class CreateBotRequest(ApiRequest):
    """A new bot; everything but its name has a default."""

    name: Name
    slug: Slug | None = Field(default=None, description="Left out, it is made from the name.")
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
    """Changes of a bot: what is left out stays, also within `configuration`.

    `visibility` and `is_active` take the permission manage.
    """

    name: Name = unchanged()
    slug: Slug = unchanged()
    description: Description = unchanged()
    avatar: Avatar | None = unchanged()
    welcome_message: WelcomeMessage = unchanged()
    system_prompt: SystemPrompt = unchanged()
    model: Model | None = unchanged()
    temperature: Temperature = unchanged()
    visibility: Visibility = unchanged()
    is_active: bool = unchanged()
    configuration: BotConfiguration = unchanged()
    expected_version: ExpectedVersion = None

    def change(self) -> BotChange:
        """Return what was given."""
        own = self.model_fields_set - {"configuration", "expected_version"}
        given = "configuration" in self.model_fields_set
        fields = {name: getattr(self, name) for name in own}
        return BotChange(fields, self.configuration if given else None, self.expected_version)


class BotResponse(ApiResponse):
    """A bot."""

    id: UUID
    organization_id: UUID
    name: str
    slug: str | None = Field(description="The `model` by which OpenAI clients ask for the bot; its id does as well.")
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
    version: int = Field(description="Grows by one with each change of what the bot is.")
    embedding_model: str | None = Field(
        description="What embedded the documents, and the questions to them; null before the first document."
    )
    permission: Literal["view", "edit", "manage"] = Field(description="What the caller may do with the bot.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def shown(cls, bot: Bot, level: BotLevel) -> Self:
        """Return the bot as a caller with this level sees it."""
        return cls.model_validate(asdict(bot) | {"permission": level.text})
