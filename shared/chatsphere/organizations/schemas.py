"""Bodies of the organizations' requests and responses."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from chatsphere.http.models import ApiRequest, ApiResponse, unchanged
from chatsphere.organizations.founding import MAX_NAME

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME)]
Budget = Annotated[
    int | None, Field(ge=0, le=10**15, description="Of all answers in a calendar month (UTC); null for no limit.")
]
MemberRole = Literal["owner", "admin", "editor", "viewer"]
InvitedRole = Literal["admin", "editor", "viewer"]


class CreateOrganizationRequest(ApiRequest):
    """A new organization, of which who makes it is the owner."""

    name: Name


class UpdateOrganizationRequest(ApiRequest):
    """A change of an organization; what is left out stays."""

    name: Name = unchanged()
    monthly_budget_tokens: Budget = unchanged()
    monthly_budget_microdollars: Budget = unchanged()


class MyOrganizationResponse(ApiResponse):
    """An organization as one of its members sees it."""

    id: UUID
    name: str
    plan: str
    is_personal: Annotated[bool, Field(description="Made at registration for one person, and never handed over.")]
    role: Annotated[MemberRole, Field(description="The caller's.")]
    created_at: datetime


class MemberResponse(ApiResponse):
    """A member of an organization."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: MemberRole
    joined_at: datetime


class RoleRequest(ApiRequest):
    """A member's new role."""

    role: MemberRole


class TransferRequest(ApiRequest):
    """Who is to own the organization."""

    user_id: Annotated[UUID, Field(description="A member of the organization.")]


class InvitationRequest(ApiRequest):
    """Whom to invite. An owner is made of a member, never invited."""

    email: Annotated[str, Field(min_length=3, max_length=320, examples=["grace@example.com"])]
    role: InvitedRole = "viewer"


class InvitationResponse(ApiResponse):
    """An invitation that was neither accepted nor revoked; its token is in the mail only."""

    id: UUID
    email: str
    role: InvitedRole
    status: Literal["pending", "expired"]
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime


class AcceptInvitationRequest(ApiRequest):
    """The token that was mailed."""

    token: Annotated[str, Field(max_length=200)]
