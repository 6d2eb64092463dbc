"""Invitations by mail. Whoever holds the token may accept it once, with whatever account they log in to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatsphere.access.permissions import Role
from chatsphere.access.verified_email import require_verified_email
from chatsphere.billing.quotas import Quota, require_room
from chatsphere.db.database import Connection, Database
from chatsphere.errors import (
    ConflictError,
    InsufficientRoleError,
    InvitationNotValidError,
    NotFoundError,
)
from chatsphere.identity.emails import normalized_email
from chatsphere.identity.opaque_tokens import secret_hash, single_use_token_id
from chatsphere.organizations import invitation_queries, queries
from chatsphere.organizations.members import lock_organization
from chatsphere.organizations.model import Invitation, Organization
from chatsphere.organizations.organizations import get_organization


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """Whom to invite, as what, and for how long."""

    email: str
    role: Role
    valid_for: timedelta


def invite(
    connection: Connection,
    inviter_id: UUID,
    request: InvitationRequest,
    *,
    invitation_id: UUID,
    verified_only: bool,
    now: datetime,
) -> Invitation:
    """Invite an address, or renew its open invitation; a token that was mailed before is void once another one is.

    Raises:
        InvalidRequestError: it is not a mail address.
        EmailNotVerifiedError: the inviter's own is not proved, and `verified_only`.
        InsufficientRoleError: the inviter is no admin any more.
        ConflictError: somebody with this address is a member.
        QuotaExceededError: the plan has no room for all who are members or invited.
    """
    email = normalized_email(request.email)
    lock_organization(connection)
    _require_inviter(connection, inviter_id, verified_only)
    if connection.execute(invitation_queries.IS_MEMBER, {"email": email}).fetchone() is not None:
        raise ConflictError("Somebody with this mail address is a member already.")
    others = connection.execute(invitation_queries.OTHERS_INVITED, {"email": email, "now": now}).fetchone()
    require_room(connection, Quota.MEMBERS, adding=1 + (others["invited"] if others else 0))
    values = {
        "id": invitation_id,
        "email": email,
        "role": request.role.text,
        "invited_by": inviter_id,
        "now": now,
        "expires_at": now + request.valid_for,
    }
    row = connection.execute(invitation_queries.INVITE, values).fetchone()
    assert row is not None
    return Invitation(**row)


def invitations_page(connection: Connection, *, after: UUID | None, limit: int, now: datetime) -> Sequence[Invitation]:
    """Return open invitations after a cursor, newest first: `limit` and one more where there are more."""
    rows = connection.execute(invitation_queries.INVITATIONS, {"after": after, "limit": limit + 1, "now": now})
    return [Invitation(**row) for row in rows]


def revoke(connection: Connection, invitation_id: UUID, *, now: datetime) -> None:
    """Take an open invitation back.

    Raises:
        NotFoundError: there is none, or it was accepted or revoked.
    """
    if connection.execute(invitation_queries.REVOKE_INVITATION, {"id": invitation_id, "now": now}).rowcount == 0:
        raise NotFoundError("There is no such invitation.")


def organization_of(authenticator: Database, token: str) -> UUID:
    """Return the organization that an invitation's token is of. Whether it can still be accepted, `accept` decides.

    Raises:
        InvitationNotValidError: it is of none.
    """
    with authenticator.transaction(None) as connection:
        row = connection.execute(invitation_queries.ORGANIZATION_OF_INVITATION, _presented(token)).fetchone()
    if row is None:
        raise InvitationNotValidError
    organization_id: UUID = row["organization_id"]
    return organization_id


def accept(connection: Connection, user_id: UUID, token: str, *, now: datetime) -> Organization:
    """Become a member of the tenant that the token is of. Of several at once one does.

    Raises:
        InvitationNotValidError: the token was used, revoked or replaced, or has expired.
        ConflictError: the person is a member already; the invitation stays open.
        QuotaExceededError: the organization's plan has no room for another member.
    """
    # Before the invitation: every transaction takes its locks in this order.
    _lock_or_refuse(connection)
    invitation = connection.execute(invitation_queries.INVITATION_LOCKED, _presented(token) | {"now": now}).fetchone()
    if invitation is None:
        raise InvitationNotValidError
    member = {"user_id": user_id, "role": invitation["role"], "now": now}
    if connection.execute(queries.ROLE, member).fetchone() is not None:
        raise ConflictError("You are a member already.")
    require_room(connection, Quota.MEMBERS)
    connection.execute(queries.INSERT_MEMBERSHIP, member)
    connection.execute(invitation_queries.ACCEPT_INVITATION, {"id": invitation["id"], "user_id": user_id, "now": now})
    return get_organization(connection, user_id)


def _presented(token: str) -> dict[str, object]:
    return {"id": single_use_token_id(token), "secret_hash": secret_hash(token)}


def _lock_or_refuse(connection: Connection) -> None:
    try:
        lock_organization(connection)
    except NotFoundError:
        raise InvitationNotValidError from None


def _require_inviter(connection: Connection, inviter_id: UUID, verified_only: bool) -> None:
    """Look again under the lock: the inviter may have lost the role since the request was let in."""
    row = connection.execute(queries.ROLE, {"user_id": inviter_id}).fetchone()
    if row is None or Role.of(row["role"]) < Role.ADMIN:
        raise InsufficientRoleError("This requires the role admin.")
    if verified_only:
        require_verified_email(connection, inviter_id)
