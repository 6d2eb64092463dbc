"""Bodies of API keys' requests and responses."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from chatsphere.access.permissions import Scope
from chatsphere.access.principal import Principal
from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.identity.model import ApiKeySettings

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
WEEK = 7 * 86_400


def _near_enough(moment: datetime) -> datetime:
    if moment >= LATEST:
        raise ValueError("is too far away")
    return moment


KeyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Moment = Annotated[AwareDatetime, AfterValidator(_near_enough)]
Bots = Annotated[
    frozenset[UUID] | None, Field(min_length=1, max_length=100, description="The only bots it may use; null for all.")
]
Rate = Annotated[
    int | None, Field(ge=1, le=1_000_000, description="Requests a minute; null, and at most, as the plan permits.")
]
Tokens = Annotated[int | None, Field(ge=0, le=10**15, description="Tokens of all answers in a calendar month (UTC).")]
Money = Annotated[
    int | None, Field(ge=0, le=10**15, description="Micro-dollars of all answers in a calendar month (UTC).")
]

KEY_SCOPES = frozenset(
    {
        Scope.BOTS_READ,
        Scope.BOTS_WRITE,
        Scope.DOCUMENTS_READ,
        Scope.DOCUMENTS_WRITE,
        Scope.CHAT,
        Scope.CONVERSATIONS_READ,
        Scope.CONVERSATIONS_WRITE,
        Scope.ORGANIZATION_READ,
    }
)
"""What a key may do unless it says otherwise: what bots are worked with. A new scope is given only when it is named."""


class ApiKeyRequest(ApiRequest):
    """What a new key may do."""

    name: KeyName
    scopes: Annotated[
        frozenset[Scope] | None,
        Field(
            min_length=1,
            description="Null for those of bots, documents, chat and conversations, and `organization:read`, "
            "as far as the maker has them.",
        ),
    ] = None
    bot_ids: Bots = None
    expires_at: Moment | None = None
    requests_per_minute: Rate = None
    monthly_budget_tokens: Tokens = None
    monthly_budget_microdollars: Money = None

    def settings(self, maker: Principal) -> ApiKeySettings:
        """Return what is asked for; without scopes the maker's, but those that a key has only if it is said."""
        # Who the organization's members are is nothing for a key that is to serve one bot.
        usual = KEY_SCOPES if self.bot_ids is None else KEY_SCOPES - {Scope.ORGANIZATION_READ}
        return ApiKeySettings(**self.model_dump() | {"scopes": self.scopes or usual & maker.scopes})


class ApiKeyChanges(ApiRequest):
    """A change of a key; what is left out stays."""

    name: KeyName = unchanged()
    scopes: Annotated[frozenset[Scope], Field(min_length=1)] = unchanged()
    bot_ids: Bots = unchanged()
    expires_at: Moment | None = unchanged()
    requests_per_minute: Rate = unchanged()
    monthly_budget_tokens: Tokens = unchanged()
    monthly_budget_microdollars: Money = unchanged()


class RotationRequest(ApiRequest):
    """How long both keys work."""

    overlap_seconds: Annotated[int, Field(ge=0, le=WEEK)] = 86_400


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
    requests_per_minute: int | None
    monthly_budget_tokens: int | None
    monthly_budget_microdollars: int | None
    rotated_to: Annotated[UUID | None, Field(description="The key that takes this one's place.")]


class KeyUsageBody(ApiResponse):
    """What a key, with those that it was rotated from or to, has used in a calendar month."""

    period: Annotated[date, Field(description="The month's first day (UTC).")]
    messages: int
    tokens: int
    cost_microdollars: int


class ApiKeyWithUsageResponse(ApiKeyResponse):
    """A key with what it used this month."""

    usage: KeyUsageBody


class NewApiKeyResponse(ApiKeyResponse):
    """A key just made. Its text is shown this once and cannot be had again."""

    key: str
