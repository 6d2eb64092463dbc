"""What a caller may do with the bot that a request is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.access.permissions import REQUIREMENTS, BotLevel, Permission, bot_level
from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection
from chatsphere.db.uuid_time import kept_between
from chatsphere.errors import InsufficientPermissionError, NotFoundError

# A bot with what was granted on it to the caller. One that is being deleted, or imported, exists for nobody.
BOT: Final = """
    SELECT bots.id, bots.visibility, bot_members.permission
    FROM bots
    LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
        AND bot_members.organization_id = app.current_organization()
    WHERE bots.organization_id = app.current_organization() AND bots.status NOT IN ('deleting', 'importing')
      AND bots.id = %(bot_id)s
"""

BOT_OF_CONVERSATION: Final = """
    SELECT bots.id, bots.visibility, bot_members.permission
    FROM conversations
    JOIN bots ON bots.organization_id = conversations.organization_id AND bots.id = conversations.bot_id
    LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
        AND bot_members.organization_id = app.current_organization()
    WHERE conversations.organization_id = app.current_organization() AND bots.status <> 'deleting'
      AND conversations.id = %(conversation_id)s
"""

# The bot of a message, or of an answer that is still being written. Messages are partitioned by `created_at`; the id
# says about when that was.
BOT_OF_MESSAGE: Final = """
    SELECT bots.id, bots.visibility, bot_members.permission
    FROM (
        SELECT organization_id, bot_id FROM answers_under_way
        WHERE organization_id = app.current_organization() AND message_id = %(message_id)s
        UNION ALL
        SELECT organization_id, bot_id FROM messages
        WHERE organization_id = app.current_organization() AND id = %(message_id)s
          AND created_at >= %(since)s AND created_at < %(until)s
        LIMIT 1) said
    JOIN bots ON bots.organization_id = said.organization_id AND bots.id = said.bot_id
    LEFT JOIN bot_members ON bot_members.bot_id = bots.id AND bot_members.user_id = %(user_id)s
        AND bot_members.organization_id = app.current_organization()
    WHERE bots.status <> 'deleting'
"""


STATEMENTS: Final = {"bot": BOT, "conversation": BOT_OF_CONVERSATION, "message": BOT_OF_MESSAGE}
"""How the bot is found, by what the path names; the first that it does."""


@dataclass(frozen=True, slots=True)
class BotAccess:
    """What the database says of the bot that a request names, by itself, by a conversation or by a message."""

    noun: str
    bot_id: UUID | None
    level: BotLevel

    def check(self, permission: Permission, caller: Principal) -> None:
        """Raise unless the caller may do this with the bot.

        Raises:
            NotFoundError: there is no such bot or conversation for this caller.
            InsufficientPermissionError: the caller may see the bot, and no more.
        """
        limited = caller.bot_ids is not None and self.bot_id not in caller.bot_ids
        if self.bot_id is None or limited or self.level < BotLevel.VIEW:
            raise NotFoundError(f"There is no such {self.noun}.")
        needed = REQUIREMENTS[permission].bot or BotLevel.VIEW
        if self.level < needed:
            raise InsufficientPermissionError(f"This requires the permission {needed.text} on the bot.")


def bot_access(connection: Connection, caller: Principal, path: Mapping[str, UUID]) -> BotAccess | None:
    """Look up the bot that a path names; None where it names none."""
    return looking_up(connection, caller, path)()


def looking_up(connection: Connection, caller: Principal, path: Mapping[str, UUID]) -> Callable[[], BotAccess | None]:
    """As `bot_access`, in a pipelined transaction: what is returned is called when the transaction has ended."""
    noun = next((each for each in STATEMENTS if f"{each}_id" in path), None)
    if noun is None:
        return lambda: None
    # Only this id of the path's: it may name another user, too, as that of a bot's member does.
    named = path[f"{noun}_id"]
    values = {"user_id": caller.user_id, f"{noun}_id": named} | (kept_between(named) if noun == "message" else {})
    found = connection.execute(STATEMENTS[noun], values)
    return lambda: _access(noun, found.fetchone(), caller)


def _access(noun: str, row: Mapping[str, Any] | None, caller: Principal) -> BotAccess:
    if row is None:
        return BotAccess(noun, None, BotLevel.NONE)
    return BotAccess(noun, row["id"], bot_level(caller.role, row["visibility"], BotLevel.of(row["permission"])))
