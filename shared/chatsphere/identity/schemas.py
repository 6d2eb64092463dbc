"""Bodies of identity's requests and responses."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.http.principal import ALL_SCOPES, Principal, Scope

LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def _near_enough(moment: datetime) -> datetime:
    if moment >= LATEST:
        raise ValueError("is too far away")
    return moment


Email = Annotated[str, Field(min_length=3, max_length=320, examples=["ada@example.com"])]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=150)]
KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Moment = Annotated[AwareDatetime, AfterValidator(_near_enough)]

KEY_SCOPES = ALL_SCOPES - {Scope.API_KEYS}
"""What a key may do unless it says otherwise: everything but to make further keys."""


class RegisterRequest(ApiRequest):
    """A new account."""

    email: Email
    password: Annotated[str, Field(min_length=8, max_length=200)]
    first_name: PersonName = ""
    last_name: PersonName = ""


class LoginRequest(ApiRequest):
    """A mail address and its password."""

    email: Annotated[str, Field(max_length=320)]
    password: Annotated[str, Field(max_length=1000)]


class RefreshRequest(ApiRequest):
    """A refresh token."""

    refresh_token: Annotated[str, Field(max_length=200)]


class TokensResponse(ApiResponse):
    """An access token for the Authorization header, and the refresh token that yields the next one, once."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: Annotated[int, Field(description="Life of the access token in seconds.")]


class UserResponse(ApiResponse):
    """A person."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    is_verified: bool
    date_joined: datetime
    last_login: datetime | None


class OrganizationResponse(ApiResponse):
    """A tenant: everything in ChatSphere belongs to one."""

    id: UUID
    name: str
    plan: str
    created_at: datetime


class RegisteredResponse(TokensResponse):
    """The new account with a first session."""

    user: UserResponse
    organization: OrganizationResponse


class ApiKeyRequest(ApiRequest):
    """What a new key may do."""

    name: KeyName
    scopes: Annotated[
        frozenset[Scope] | None,
        Field(min_length=1, description="Null for every scope that the maker has, but `api_keys`."),
    ] = None
    bot_ids: Annotated[
        frozenset[UUID] | None,
        Field(min_length=1, max_length=100, description="The only bots it may use; null for all."),
    ] = None
    expires_at: Moment | None = None

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        # A key that may use one bot could otherwise make one that may use all.
        if self.bot_ids is not None and self.scopes is not None and Scope.API_KEYS in self.scopes:
            raise ValueError("a key limited to bots cannot manage API keys")
        return self

    def granted(self, maker: Principal) -> frozenset[Scope]:
        """Return the scopes asked for, or the default."""
        return self.scopes if self.scopes is not None else KEY_SCOPES & maker.scopes


class ApiKeyResponse(ApiResponse):
    """A key without its secret."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    bot_ids: list[UUID] | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_by: UUID
    created_at: datetime


class NewApiKeyResponse(ApiKeyResponse):
    """A key just made. Its text is shown this once and cannot be had again."""

    key: str


class MeResponse(ApiResponse):
    """Who is asking: the person, the organization, and the key where one is used."""

    user: UserResponse
    organization: OrganizationResponse
    role: Literal["owner", "admin", "editor", "viewer"]
    api_key: ApiKeyResponse | None = None


class NamesRequest(ApiRequest):
    """A change of one's own names; what is left out stays."""

    first_name: PersonName = unchanged()
    last_name: PersonName = unchanged()
