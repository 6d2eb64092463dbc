"""People, organizations and credentials."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in; `mfa_enabled` where that takes a second factor."""

    id: UUID
    username: str | None
    email: str
    first_name: str
    last_name: str
    is_verified: bool
    mfa_enabled: bool
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
class MfaRequired:
    """What a password yields where there is a second factor. `expires_in` is the token's life in seconds."""

    mfa_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A second factor to be: `secret` (base32) for the app, and the token that its first code is sent with."""

    secret: str
    otpauth_uri: str
    mfa_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Session:
    """An open session of a person in one organization; user agent and address are those of its last use."""

    id: UUID
    organization_id: UUID
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKeySettings:
    """What a key may do. `bot_ids` is None where it may use every bot; a limit is None where it has none of its own."""

    name: str
    scopes: Collection[str]
    bot_ids: Collection[UUID] | None = None
    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    monthly_budget_tokens: int | None = None
    monthly_budget_microdollars: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the key has a rate limit or a budget of its own."""
        limits = (self.requests_per_minute, self.monthly_budget_tokens, self.monthly_budget_microdollars)
        return any(limit is not None for limit in limits)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret; see `ApiKeySettings`. `rotated_to` is the key that takes its place."""

    id: UUID
    created_by: UUID
    name: str
    prefix: str
    scopes: list[str]
    bot_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    requests_per_minute: int | None = None
    monthly_budget_tokens: int | None = None
    monthly_budget_microdollars: int | None = None
    rotated_to: UUID | None = None

    @property
    def settings(self) -> ApiKeySettings:
        """What may be changed of it, and what a key that takes its place has, too."""
        return ApiKeySettings(**{field.name: getattr(self, field.name) for field in fields(ApiKeySettings)})


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made, with the text that is shown this once."""

    key: str
    api_key: ApiKey
