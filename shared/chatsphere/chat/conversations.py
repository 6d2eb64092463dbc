"""Conversations and their messages: listed, read, changed, deleted. Every function runs in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.archive.removals import remove_from_archive
from chatsphere.bots.bots import get_bot
from chatsphere.chat import conversation_queries, queries, under_way_queries
from chatsphere.chat.feedback.feedback import feedback_of
from chatsphere.chat.memory.forgetting import forget_conversation
from chatsphere.chat.memory.messages import MemoryPurgeMessage
from chatsphere.chat.turns import CLOCK_SKEW
from chatsphere.db.database import Connection
from chatsphere.db.uuid_time import kept_between
from chatsphere.errors import NotFoundError
from chatsphere.retention.holds import refuse_if_held

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """Which conversations are listed; None: any. `since` is inclusive, `until` exclusive, both of their beginning.

    `metadata`: each of these keys with its value. `by_use`: the most recently used first, else the newest.
    """

    end_user_id: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, Any] | None = None
    archived: bool | None = None
    by_use: bool = False


@dataclass(frozen=True, slots=True)
class ConversationChange:
    """What is changed; None: stays. `metadata` replaces what there is."""

    title: str | None = None
    metadata: Mapping[str, Any] | None = None
    ended: bool | None = None
    archived: bool | None = None


def conversations_page(
    connection: Connection,
    bot_id: UUID,
    wanted: ConversationFilter,
    *,
    last_id: UUID | None = None,
    last_used: datetime | None = None,
    limit: int,
) -> list[Row]:
    """Return a bot's conversations with counts and a preview: `limit` and one more where there are more.

    `last_id`, and with `by_use` also `last_used`, are of the last row of the page before.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    get_bot(connection, bot_id)
    return connection.execute(
        conversation_queries.PAGE,
        {
            "bot_id": bot_id,
            "metadata": _json(wanted.metadata or None),
            "end_user_id": wanted.end_user_id,
            "channel": wanted.channel,
            "since": wanted.since,
            "until": wanted.until,
            "archived": wanted.archived,
            "by_use": wanted.by_use,
            "last_used": last_used,
            "last_id": last_id,
            "limit": limit + 1,
        },
    ).fetchall()


def get_conversation(connection: Connection, conversation_id: UUID) -> Row:
    """Return a conversation with its count and preview.

    Raises:
        NotFoundError: the tenant has no such conversation.
    """
    values = {"conversation_id": conversation_id}
    row = connection.execute(conversation_queries.CONVERSATION, values).fetchone()
    if row is None:
        raise NotFoundError("There is no such conversation.")
    return row


def change_conversation(
    connection: Connection, conversation_id: UUID, change: ConversationChange, *, now: datetime
) -> Row:
    """Change what is given and return the conversation.

    Raises:
        NotFoundError: the tenant has no such conversation.
    """
    values = {
        "conversation_id": conversation_id,
        "title": change.title,
        "metadata": _json(change.metadata),
        "ended": change.ended,
        "archived": change.archived,
        "now": now,
    }
    connection.execute(conversation_queries.CHANGE, values)
    return get_conversation(connection, conversation_id)


def delete_conversation(
    connection: Connection, organization_id: UUID, conversation_id: UUID, deletion_id: UUID, now: datetime
) -> MemoryPurgeMessage:
    """Delete a conversation with its messages, its feedback and what it left of questions without an answer.

    Return what is to be sent to the purge queue, after the commit: its vectors may be in another store.

    Raises:
        NotFoundError: the tenant has no such conversation.
        LegalHoldError: it is held.
    """
    refuse_if_held(connection, conversation_id=conversation_id)
    # First, as whoever keeps an answer does: in the other order each could wait for the other.
    connection.execute(under_way_queries.STOP_OF_CONVERSATION, {"conversation_id": conversation_id, "now": now})
    deleted = connection.execute(queries.DELETE_CONVERSATION, {"conversation_id": conversation_id}).fetchone()
    if deleted is None:
        raise NotFoundError("There is no such conversation.")
    forget_conversation(connection, deleted["bot_id"], conversation_id, deletion_id, now)
    remove_from_archive(connection, deleted["bot_id"], conversation_id, removal_id=deletion_id, now=now)
    return MemoryPurgeMessage(organization_id=organization_id, bot_id=deleted["bot_id"])


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
    rows = connection.execute(
        queries.MESSAGES,
        {
            "conversation_id": conversation_id,
            "since": conversation["created_at"],
            "until": now + CLOCK_SKEW,
            "after": after,
            "limit": limit + 1,
        },
    ).fetchall()
    return with_feedback(connection, rows)


def get_message(connection: Connection, message_id: UUID) -> Row:
    """Return a message.

    Raises:
        NotFoundError: the tenant has no such message.
    """
    values = {"message_id": message_id} | kept_between(message_id)
    row = connection.execute(conversation_queries.MESSAGE, values).fetchone()
    if row is None:
        raise NotFoundError("There is no such message.")
    return with_feedback(connection, [row])[0]


def with_feedback(connection: Connection, messages: list[Row]) -> list[Row]:
    """Return the messages, each with `feedback`: what end users said of it."""
    said = feedback_of(connection, [row["id"] for row in messages if row["role"] == "assistant"])
    return [row | {"feedback": said.get(row["id"], [])} for row in messages]


def _json(value: Mapping[str, Any] | None) -> Jsonb | None:
    return None if value is None else Jsonb(dict(value))
