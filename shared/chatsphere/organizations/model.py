"""Organizations, their members, and invitations to become one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant as one of its members sees it: `role` is theirs, `plan` the name of its subscription plan."""

    id: UUID
    name: str
    plan: str
    is_personal: bool
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an organization."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was neither accepted nor revoked."""

    id: UUID
    email: str
    role: str
    status: Literal["pending", "expired"]
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime
