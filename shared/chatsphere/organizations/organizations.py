"""Organizations: listed, read, made, renamed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import QuotaExceededError, UnauthorizedError
from chatsphere.organizations import queries
from chatsphere.organizations.model import Organization


def organizations_of(
    connection: Connection, user_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[Organization]:
    """Return a person's organizations after a cursor, newest first: `limit` and one more where there are more.

    `connection` is the authenticator's: the organizations are of several tenants.
    """
    values = {"user_id": user_id, "after": after, "limit": limit + 1}
    return [Organization(**row) for row in connection.execute(queries.ORGANIZATIONS_OF_PERSON, values)]


def get_organization(connection: Connection, user_id: UUID) -> Organization:
    """Return the tenant as this member sees it.

    Raises:
        UnauthorizedError: the membership has ended.
    """
    row = connection.execute(queries.ORGANIZATION, {"user_id": user_id}).fetchone()
    if row is None:
        raise UnauthorizedError
    return Organization(**row)


def require_room_for_another(connection: Connection, authenticator: Database, user_id: UUID, *, most: int) -> None:
    """Hold the person until `connection`'s transaction ends, and count what they own, in whatever tenant.

    Raises:
        QuotaExceededError: they own as many organizations as one person may.
    """
    connection.execute(queries.LOCK_PERSON)
    with authenticator.transaction(None) as elsewhere:
        row = elsewhere.execute(queries.OWNED, {"user_id": user_id}).fetchone()
    if row is not None and row["owned"] >= most:
        raise QuotaExceededError(f"One person may own {most} organizations; {row['owned']} are yours.")


def rename(connection: Connection, name: str, *, now: datetime) -> None:
    """Change the tenant's name."""
    connection.execute(queries.RENAME, {"name": name, "now": now})
