"""Documents of which nothing was ever stored: refused, or permitted and never uploaded."""

from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection

KEPT: Final = 1_000
"""Of a bot, so that they can still say why."""

FORGET_REFUSED: Final = """
    DELETE FROM documents
    WHERE organization_id = app.current_organization() AND id IN (
        SELECT id FROM documents
        WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s
          AND status = 'failed' AND stage IN ('upload', 'fetch', 'register') AND live_generation IS NULL
        ORDER BY id DESC OFFSET %(kept)s LIMIT 100)
"""
"""Forget the oldest of them."""


def forget_refused(connection: Connection, bot_id: UUID) -> None:
    """Keep the newest: they take no place of the plan's, and whoever drops files again and again must not fill a
    table."""
    connection.execute(FORGET_REFUSED, {"bot_id": bot_id, "kept": KEPT})
