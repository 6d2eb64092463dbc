"""Bodies of identity's requests and responses."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.identity.api_key_schemas import ApiKeyResponse

Email = Annotated[str, Field(min_length=3, max_length=320, examples=["ada@example.com"])]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=150)]


Password = Annotated[str, Field(min_length=8, max_length=200, description="Anything but the mail address.")]
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,28})[A-Za-z0-9]$")]


class RegisterRequest(ApiRequest):
    """A new account."""

    email: Email
    password: Password
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
    username: str | None
    email: str
    first_name: str
    last_name: str
    is_verified: Annotated[bool, Field(description="Whether the mail address was confirmed.")]
    mfa_enabled: Annotated[bool, Field(description="Whether logging in takes a second factor.")]
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
    username: Username = unchanged()
