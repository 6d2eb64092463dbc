"""Permissions of people on a bot, beside what their role lets them do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.access.permissions import BotLevel
from chatsphere.bots import member_queries as queries
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class BotMember:
    """Somebody who was granted a permission on a bot. `role` is theirs in the organization."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: str
    permission: str
    created_at: datetime


def grant(connection: Connection, bot_id: UUID, user_id: UUID, level: BotLevel, *, now: datetime) -> None:
    """Grant a permission on a bot, in place of the one before.

    Raises:
        NotFoundError: the person is no member of the tenant.
    """
    values = {"bot_id": bot_id, "user_id": user_id, "permission": level.text, "now": now}
    if connection.execute(queries.GRANT, values).rowcount == 0:
        raise NotFoundError("There is no such user.")


def revoke(connection: Connection, bot_id: UUID, user_id: UUID) -> None:
    """Take back what was granted; what the role permits remains.

    Raises:
        NotFoundError: nothing was granted to this person.
    """
    if connection.execute(queries.REVOKE, {"bot_id": bot_id, "user_id": user_id}).rowcount == 0:
        raise NotFoundError("There is no such user.")


def get_member(connection: Connection, bot_id: UUID, user_id: UUID) -> BotMember:
    """Return what was granted to somebody.

    Raises:
        NotFoundError: nothing was.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "user_id": user_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such user.")
    return BotMember(**row)


def members_page(connection: Connection, bot_id: UUID, *, after: UUID | None, limit: int) -> Sequence[BotMember]:
    """Return whom something was granted to after a cursor: `limit` and one more where there are more."""
    values = {"bot_id": bot_id, "after": after, "limit": limit + 1}
    return [BotMember(**row) for row in connection.execute(queries.PAGE, values)]
