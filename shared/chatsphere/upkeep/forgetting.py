"""What hangs on messages and is in no partition: it goes as where messages are deleted one by one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.archiving import Archiver
from chatsphere.chat.titles import title_of
from chatsphere.db.database import Connection
from chatsphere.retention.acting_queries import FORGET_QUESTIONS, FORGET_TITLES

FORGET_VECTORS: Final = """
    INSERT INTO memory_deletions (id, organization_id, bot_id, conversation_id, messages, due_at)
    SELECT %(id)s, app.current_organization(), bot_id, %(conversation_id)s, %(messages)s, %(now)s
    FROM bot_memories
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""
"""Have the vectors of some messages of a conversation deleted, where the bot ever had a memory."""

FORGET_HANGING: Final = (
    "DELETE FROM memory_pending WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s)",
    """
    DELETE FROM conversation_feedback
    WHERE organization_id = app.current_organization() AND message_id = ANY (%(messages)s)
    """,
    """
    DELETE FROM unanswered_messages
    WHERE organization_id = app.current_organization() AND conversation_id = ANY (%(of_each)s)
      AND (message_id = ANY (%(messages)s) OR answer_id = ANY (%(messages)s))
    """,
    """
    DELETE FROM evaluation_cases e USING unnest(%(messages)s::uuid[], %(of_each)s::uuid[], %(texts)s::text[])
        AS m (id, conversation_id, content)
    WHERE e.organization_id = app.current_organization() AND e.conversation_id = m.conversation_id
      AND (e.message_id = m.id OR e.question = m.content
           OR e.history @> jsonb_build_array(jsonb_build_object('content', m.content)))
    """,
    FORGET_QUESTIONS,
)
"""Delete what is about messages that are gone, or holds the text of one."""

TITLES: Final = """
    SELECT id, title FROM conversations
    WHERE organization_id = app.current_organization() AND id = ANY (%(conversations)s) AND title <> ''
"""
"""The titles of conversations."""


def forget_messages(
    archiver: Archiver, organization_id: UUID, bot_id: UUID, messages: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Forget messages by `id`, `conversation_id`, `role` and `content`, in the order of conversations. Doing it again
    does no harm.
    """
    with archiver.database.transaction(organization_id) as connection:
        for conversation_id, group in groupby(messages, key=lambda message: message["conversation_id"]):
            values = {
                "id": archiver.ids.new(),
                "bot_id": bot_id,
                "conversation_id": conversation_id,
                "messages": [message["id"] for message in group],
                "now": now,
            }
            connection.execute(FORGET_VECTORS, values)
        hanging = {
            "bot_id": bot_id,
            "messages": [message["id"] for message in messages],
            "of_each": [message["conversation_id"] for message in messages],
            "texts": [message["content"] for message in messages],
        }
        _forget_titles(connection, messages)
        for statement in FORGET_HANGING:
            connection.execute(statement, hanging)


def _forget_titles(connection: Connection, messages: Sequence[Mapping[str, Any]]) -> None:
    """Take away titles that were made of one of the questions."""
    asked = {(message["conversation_id"], title_of(message["content"])) for message in messages if _is_asked(message)}
    rows = connection.execute(TITLES, {"conversations": [conversation_id for conversation_id, _ in asked]}).fetchall()
    told = [row["id"] for row in rows if (row["id"], row["title"]) in asked]
    connection.execute(FORGET_TITLES, {"conversations": told})


def _is_asked(message: Mapping[str, Any]) -> bool:
    return bool(message["role"] == "user")
