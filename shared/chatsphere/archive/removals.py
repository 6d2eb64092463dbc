"""Conversations that somebody deleted, and that may be in the archive in part."""

from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection

NOTE: Final = """
    INSERT INTO archive_removals (id, organization_id, bot_id, conversation_id, asked_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(conversation_id)s, %(now)s)
"""
"""Have a conversation taken out of the archive."""


def remove_from_archive(
    connection: Connection, bot_id: UUID, conversation_id: UUID, *, removal_id: UUID, now: datetime
) -> None:
    """Have what was archived of a conversation removed by the daily run, in the transaction that deletes the rest."""
    values = {"id": removal_id, "bot_id": bot_id, "conversation_id": conversation_id, "now": now}
    connection.execute(NOTE, values)
