"""Statistics per end user. Runs in the caller's transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots.bots import get_bot
from chatsphere.chat.end_users import queries
from chatsphere.db.database import Connection

Row = dict[str, Any]


def end_users_page(
    connection: Connection, bot_id: UUID, *, end_user_id: str | None, last: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """Return a bot's end users with what they did, the most recently active first: up to `limit` and one more.

    `last`: `last_seen_at` and name of the last row of the page before.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    get_bot(connection, bot_id)
    last_time, last_key = last or (None, None)
    values = {
        "bot_id": bot_id,
        "end_user_id": end_user_id,
        "last_time": last_time,
        "last_key": last_key,
        "limit": limit + 1,
    }
    return connection.execute(queries.PAGE, values).fetchall()
