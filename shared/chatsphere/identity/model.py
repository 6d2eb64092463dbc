"""People, organizations and credentials."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    is_verified: bool
    date_joined: datetime
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant; `plan` is the name of its subscription plan."""

    id: UUID
    name: str
    plan: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as a member of one organization."""

    user: User
    organization: Organization
    role: str


@dataclass(frozen=True, slots=True)
class Member:
    """Whom a credential stands for, as the database has it now."""

    organization_id: UUID
    user_id: UUID
    role: str


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login yields. `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret. `bot_ids` is None where it may use every bot."""

    id: UUID
    created_by: UUID
    name: str
    prefix: str
    scopes: list[str]
    bot_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made, with the text that is shown this once."""

    key: str
    api_key: ApiKey
