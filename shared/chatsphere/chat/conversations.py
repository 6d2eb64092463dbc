"""Conversations and their messages: listed, read, deleted. Every function runs in the caller's transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots.bots import get_bot
from chatsphere.chat import queries
from chatsphere.chat.turns import CLOCK_SKEW
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError

Row = dict[str, Any]


def conversations_page(
    connection: Connection, bot_id: UUID, *, end_user_id: str | None, before: UUID | None, limit: int
) -> list[Row]:
    """Return a bot's conversations, the newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    get_bot(connection, bot_id)
    return connection.execute(
        queries.CONVERSATIONS,
        {"bot_id": bot_id, "end_user_id": end_user_id, "before": before, "limit": limit + 1},
    ).fetchall()


def get_conversation(connection: Connection, conversation_id: UUID) -> Row:
    """Return a conversation.

    Raises:
        NotFoundError: the tenant has no such conversation.
    """
    row = connection.execute(queries.CONVERSATION, {"conversation_id": conversation_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such conversation.")
    return row


def delete_conversation(connection: Connection, conversation_id: UUID) -> None:
    """Delete a conversation with its messages.

    Raises:
        NotFoundError: the tenant has no such conversation.
    """
    get_conversation(connection, conversation_id)
    connection.execute(queries.DELETE_CONVERSATION, {"conversation_id": conversation_id})


def messages_page(
    connection: Connection,
    conversation_id: UUID,
    *,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> list[Row]:
    """Return a conversation's messages, the oldest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such conversation.
    """
    conversation = get_conversation(connection, conversation_id)
    return connection.execute(
        queries.MESSAGES,
        {
            "conversation_id": conversation_id,
            "since": conversation["created_at"],
            "until": now + CLOCK_SKEW,
            "after": after,
            "limit": limit + 1,
        },
    ).fetchall()
