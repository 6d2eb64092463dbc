"""Legal holds as records: made, read, released. Every function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from chatsphere.access.principal import Principal
from chatsphere.audit.recording import note
from chatsphere.bots.bots import get_bot
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.retention.holds import lock_holds

Subject = Literal["organization", "bot", "conversation", "end_user"]
Row = Mapping[str, Any]

COLUMNS: Final = """
    id, subject, bot_id, conversation_id, end_user_id, reason, made_by, made_by_key, made_at, released_by,
    released_by_key, released_at
"""

IS_ACTIVE: Final = "SELECT 1 FROM organizations WHERE id = app.current_organization() AND status = 'active'"

BOT_OF_CONVERSATION: Final = """
    SELECT c.bot_id FROM conversations c JOIN bots b ON b.organization_id = c.organization_id AND b.id = c.bot_id
    WHERE c.organization_id = app.current_organization() AND c.id = %(conversation_id)s AND b.status <> 'deleting'
"""

MAKE: Final = f"""
    INSERT INTO legal_holds
        (id, organization_id, subject, bot_id, conversation_id, end_user_id, reason, made_by, made_by_key, made_at)
    VALUES (%(id)s, app.current_organization(), %(subject)s, %(bot_id)s, %(conversation_id)s, %(end_user_id)s,
        %(reason)s, %(made_by)s, %(made_by_key)s, %(now)s)
    RETURNING {COLUMNS}
"""  # noqa: S608 - only constants are put together, as below
"""Make a hold."""

GET: Final = f"""
    SELECT {COLUMNS} FROM legal_holds WHERE organization_id = app.current_organization() AND id = %(id)s
"""  # noqa: S608
"""One hold."""

PAGE: Final = f"""
    SELECT {COLUMNS} FROM legal_holds
    WHERE organization_id = app.current_organization()
      AND (%(active)s::boolean IS NULL OR (released_at IS NULL) = %(active)s)
      AND (%(bot_id)s::uuid IS NULL OR bot_id = %(bot_id)s)
      AND (%(after)s::uuid IS NULL OR id < %(after)s)
    ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608
"""The tenant's holds after a cursor, newest first."""

RELEASE: Final = f"""
    UPDATE legal_holds SET released_by = %(released_by)s, released_by_key = %(released_by_key)s, released_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(id)s AND released_at IS NULL
    RETURNING {COLUMNS}
"""  # noqa: S608
"""End a hold. Its row stays."""


@dataclass(frozen=True, slots=True)
class HoldDraft:
    """What is to be held, and why: the organization; a bot; a conversation; or all of an end user of a bot."""

    reason: str
    bot_id: UUID | None = None
    conversation_id: UUID | None = None
    end_user_id: str | None = None

    @property
    def subject(self) -> Subject:
        """What kind of hold it is."""
        if self.conversation_id is not None:
            return "conversation"
        if self.end_user_id is not None:
            return "end_user"
        return "organization" if self.bot_id is None else "bot"


def make_hold(connection: Connection, draft: HoldDraft, caller: Principal, hold_id: UUID, now: datetime) -> Row:
    """Hold something from now on, once deletions that are under way have ended.

    Raises:
        NotFoundError: there is no such bot or conversation, or not any more: a deletion came first.
    """
    lock_holds(connection, alone=True)
    if connection.execute(IS_ACTIVE).fetchone() is None:
        raise NotFoundError("There is no such organization.")
    values = {
        "id": hold_id,
        "subject": draft.subject,
        "bot_id": _bot(connection, draft),
        "conversation_id": draft.conversation_id,
        "end_user_id": draft.end_user_id,
        "reason": draft.reason,
        "made_by": caller.user_id,
        "made_by_key": caller.api_key_id,
        "now": now,
    }
    row = connection.execute(MAKE, values).fetchone()
    assert row is not None
    return row


def get_hold(connection: Connection, hold_id: UUID) -> Row:
    """Return a hold, released or not.

    Raises:
        NotFoundError: the tenant has no such hold.
    """
    row = connection.execute(GET, {"id": hold_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such legal hold.")
    return row


def holds_page(
    connection: Connection, *, active: bool | None, bot_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[Row]:
    """Return the tenant's holds, newest first: `limit` and one more where there are more."""
    values = {"active": active, "bot_id": bot_id, "after": after, "limit": limit + 1}
    return connection.execute(PAGE, values).fetchall()


def release_hold(connection: Connection, hold_id: UUID, caller: Principal, now: datetime) -> Row:
    """Release a hold; its record stays.

    Raises:
        NotFoundError: the tenant has no such hold.
        ConflictError: it was released before.
    """
    lock_holds(connection, alone=True)
    get_hold(connection, hold_id)
    values = {"id": hold_id, "released_by": caller.user_id, "released_by_key": caller.api_key_id, "now": now}
    row = connection.execute(RELEASE, values).fetchone()
    if row is None:
        raise ConflictError("The legal hold was released before.")
    about = {"subject": row["subject"], "bot_id": str(row["bot_id"]) if row["bot_id"] else None}
    note(connection, "legal_hold.released", "legal_hold", hold_id, after=about)
    return row


def _bot(connection: Connection, draft: HoldDraft) -> UUID | None:
    if draft.conversation_id is not None:
        row = connection.execute(BOT_OF_CONVERSATION, {"conversation_id": draft.conversation_id}).fetchone()
        if row is None:
            raise NotFoundError("There is no such conversation.")
        found: UUID = row["bot_id"]
        return found
    if draft.bot_id is not None:
        get_bot(connection, draft.bot_id)
    return draft.bot_id
