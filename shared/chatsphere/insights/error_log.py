"""Keeping a failure for the organization to read, in the transaction that ends what failed: it is told once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection

ADD: Final = """
    INSERT INTO error_logs (id, organization_id, bot_id, service, error_type, message, details, created_at)
    VALUES (%(id)s, app.current_organization(), %(bot_id)s, %(service)s, %(error_type)s, %(message)s, %(details)s,
        %(now)s)
"""
"""Note a failure."""


def log_error(
    connection: Connection,
    service: str,
    error_type: str,
    message: str,
    *,
    error_id: UUID,
    bot_id: UUID,
    details: Mapping[str, Any],
    now: datetime,
) -> None:
    """Note a failure of the tenant's bot. `error_type` and `message` are what clients are told of the error."""
    values = {"id": error_id, "bot_id": bot_id, "service": service, "error_type": error_type, "message": message}
    connection.execute(ADD, values | {"details": Jsonb(dict(details)), "now": now})
