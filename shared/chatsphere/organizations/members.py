"""Members: their roles, how one leaves, and who owns the organization.

Every change of who belongs to an organization first locks the organization, so that what it decides by still holds
when it is written: of two owners who leave at once, one is told that nobody else is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.access.permissions import Role
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, ForbiddenError, InsufficientRoleError, NotFoundError, UnauthorizedError
from chatsphere.organizations import invitation_queries, queries
from chatsphere.organizations.model import Member


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something; `is_person` is False where an API key acts for them."""

    user_id: UUID
    is_person: bool


def members_page(connection: Connection, *, after: UUID | None, limit: int) -> Sequence[Member]:
    """Return members after a cursor: `limit` and one more where there are more."""
    return [Member(**row) for row in connection.execute(queries.MEMBERS, {"after": after, "limit": limit + 1})]


def lock_organization(connection: Connection) -> None:
    """Let nobody else change who belongs to the tenant until the transaction ends.

    Raises:
        NotFoundError: the organization is being deleted.
    """
    if connection.execute(queries.LOCK_ORGANIZATION).fetchone() is None:
        raise NotFoundError("There is no such organization.")


def change_role(connection: Connection, actor: Actor, user_id: UUID, role: Role, *, now: datetime) -> Member:
    """Give a member another role, oneself included.

    Raises:
        NotFoundError: there is no such member.
        InsufficientRoleError: only an owner makes an owner, or another of one.
        ForbiddenError: an API key makes no owners, nor others of them.
        ConflictError: nobody else owns the organization.
    """
    lock_organization(connection)
    former = _role_that_may_change(connection, actor, user_id, becomes=role)
    if former is Role.OWNER and role is not Role.OWNER:
        _require_another_owner(connection, user_id)
    _set_role(connection, user_id, role, now)
    return _member(connection, user_id)


def remove(connection: Connection, actor: Actor, user_id: UUID, *, now: datetime) -> None:
    """End a membership: the person's sessions and keys of this organization are refused from now on.

    Raises:
        NotFoundError, InsufficientRoleError, ForbiddenError, ConflictError: as `change_role`.
    """
    lock_organization(connection)
    if _role_that_may_change(connection, actor, user_id) is Role.OWNER:
        _require_another_owner(connection, user_id)
    _end(connection, user_id, now)


def leave(connection: Connection, user_id: UUID, *, now: datetime) -> None:
    """End one's own membership.

    Raises:
        ConflictError: nobody else owns the organization.
        UnauthorizedError: the membership has ended.
    """
    lock_organization(connection)
    if _own_role(connection, user_id) is Role.OWNER:
        _require_another_owner(connection, user_id)
    _end(connection, user_id, now)


def transfer(connection: Connection, owner_id: UUID, user_id: UUID, *, now: datetime) -> Member:
    """Make another member the owner in one's own place, and oneself an admin.

    Raises:
        NotFoundError: there is no such member, or their account is being deleted.
        ConflictError: it is the owner themselves.
        InsufficientRoleError: the caller owns the organization no more.
    """
    lock_organization(connection)
    if _own_role(connection, owner_id) is not Role.OWNER:
        raise InsufficientRoleError("This requires the role owner.")
    if user_id == owner_id:
        raise ConflictError("The organization is yours already.")
    _role(connection, user_id)
    if connection.execute(queries.IS_ACTIVE, {"user_id": user_id}).fetchone() is None:
        raise NotFoundError("There is no such member.")
    _set_role(connection, user_id, Role.OWNER, now)
    _set_role(connection, owner_id, Role.ADMIN, now)
    connection.execute(queries.NO_LONGER_PERSONAL, {"now": now})
    return _member(connection, user_id)


def _role_that_may_change(connection: Connection, actor: Actor, user_id: UUID, becomes: Role | None = None) -> Role:
    """Return a member's role, if the actor may take it from them and give them the other."""
    # Read again under the lock: the actor may have lost the role since the request was let in.
    own = _own_role(connection, actor.user_id)
    if own < Role.ADMIN:
        raise InsufficientRoleError("This requires the role admin.")
    former = _role(connection, user_id)
    if Role.OWNER in (former, becomes):
        if own is not Role.OWNER:
            raise InsufficientRoleError("Only an owner decides who is one.")
        if not actor.is_person:
            raise ForbiddenError("An API key cannot decide who owns the organization: log in as a person.")
    return former


def _require_another_owner(connection: Connection, user_id: UUID) -> None:
    row = connection.execute(queries.OTHER_OWNERS, {"user_id": user_id}).fetchone()
    if row is None or row["owners"] == 0:
        raise ConflictError("Somebody has to own the organization: transfer it first.")


def _own_role(connection: Connection, user_id: UUID) -> Role:
    try:
        return _role(connection, user_id)
    except NotFoundError:
        raise UnauthorizedError from None


def _role(connection: Connection, user_id: UUID) -> Role:
    row = connection.execute(queries.ROLE, {"user_id": user_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such member.")
    return Role.of(row["role"])


def _member(connection: Connection, user_id: UUID) -> Member:
    row = connection.execute(queries.MEMBER, {"user_id": user_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such member.")
    return Member(**row)


def _set_role(connection: Connection, user_id: UUID, role: Role, now: datetime) -> None:
    connection.execute(queries.SET_ROLE, {"user_id": user_id, "role": role.text})
    if role < Role.ADMIN:
        connection.execute(invitation_queries.REVOKE_INVITATIONS_BY, {"user_id": user_id, "now": now})


def _end(connection: Connection, user_id: UUID, now: datetime) -> None:
    connection.execute(invitation_queries.REVOKE_INVITATIONS_BY, {"user_id": user_id, "now": now})
    connection.execute(queries.DELETE_MEMBERSHIP, {"user_id": user_id})
