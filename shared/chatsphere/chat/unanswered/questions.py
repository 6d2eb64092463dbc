"""Questions without an answer: listed and reviewed. Every function runs in the caller's transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots.bots import get_bot
from chatsphere.chat.unanswered import queries
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError

Row = dict[str, Any]


def questions_page(
    connection: Connection,
    bot_id: UUID,
    *,
    status: str | None,
    last: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row]:
    """Return a bot's questions, the last asked first: `limit` and one more where there are more.

    `last`: `noted_at` and id of the last row of the page before.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    get_bot(connection, bot_id)
    last_time, last_id = last or (None, None)
    values = {"bot_id": bot_id, "status": status, "last_time": last_time, "last_id": last_id, "limit": limit + 1}
    return connection.execute(queries.PAGE, values).fetchall()


def review_question(
    connection: Connection, bot_id: UUID, question_id: UUID, *, status: str | None, note: str | None, now: datetime
) -> Row:
    """Set status and note, where given, and return the question.

    Raises:
        NotFoundError: the bot has no such question.
    """
    values = {"bot_id": bot_id, "question_id": question_id}
    connection.execute(queries.REVIEW, values | {"status": status, "note": note, "now": now})
    row = connection.execute(queries.QUESTION, values).fetchone()
    if row is None:
        raise NotFoundError("There is no such unanswered question.")
    return row
