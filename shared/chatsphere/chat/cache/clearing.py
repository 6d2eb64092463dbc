"""Forgetting a bot's cached answers, wherever they are."""

from typing import Final
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection

RENEW: Final = """
    SELECT app.renew_corpus(id) FROM bots WHERE organization_id = app.current_organization() AND id = %(bot_id)s
"""
"""By what the keys are made of, no answer that was made before is found any more, on any server."""

DELETE_ENTRIES: Final = """
    DELETE FROM cache_entries WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
"""


def clear_cache(connection: Connection, bot_id: UUID) -> None:
    """Let no answer that was made until now, or is being made, be given again."""
    connection.execute(RENEW, {"bot_id": bot_id})
    connection.execute(DELETE_ENTRIES, {"bot_id": bot_id})
    note(connection, "cache.cleared", "bot", bot_id)
