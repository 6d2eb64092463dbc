"""Bots as the rest of ChatSphere sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots.configuration import BotConfiguration
from chatsphere.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Bot:
    """A chatbot. `model` is None where the deployment's default answers.

    `embedding_model` is None before the bot's first document. `slug` is None where the release before made the bot and
    nobody has changed it since.
    """

    id: UUID
    organization_id: UUID
    name: str
    description: str
    avatar: str | None
    welcome_message: str
    system_prompt: str
    model: str | None
    temperature: float
    visibility: str
    configuration: BotConfiguration
    is_active: bool
    status: str
    version: int
    embedding_model: str | None
    slug: str | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class BotDraft:
    """What a bot is made from. Without a `slug` it is given one by its name."""

    name: str
    slug: str | None = None
    description: str = ""
    avatar: str | None = None
    welcome_message: str = "Hi! How can I help you today?"
    system_prompt: str = ""
    model: str | None = None
    temperature: float = 0.2
    visibility: str = "organization"
    configuration: BotConfiguration = field(default_factory=BotConfiguration)


def bot_of(row: Mapping[str, Any] | None) -> Bot:
    """Return the bot that a row holds.

    Raises:
        NotFoundError: there is no row.
    """
    if row is None:
        raise NotFoundError("There is no such bot.")
    return Bot(**{**row, "configuration": BotConfiguration.stored(row["configuration"])})
