"""Reading the audit log of the tenant, newest first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection

# A filter that is NULL does not filter.
ENTRIES: Final = """
    SELECT id, organization_id, actor_user_id, actor_api_key_id, action, object_type, object_id, address, user_agent,
           request_id, before, after, created_at
    FROM audit_log
    WHERE organization_id = app.current_organization()
      AND (%(last)s::uuid IS NULL OR id < %(last)s)
      AND (%(actor_user_id)s::uuid IS NULL OR actor_user_id = %(actor_user_id)s)
      AND (%(actor_api_key_id)s::uuid IS NULL OR actor_api_key_id = %(actor_api_key_id)s)
      AND (%(action)s::text IS NULL OR action = %(action)s)
      AND (%(object_type)s::text IS NULL OR object_type = %(object_type)s)
      AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s)
      AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
      AND (%(until)s::timestamptz IS NULL OR created_at < %(until)s)
    ORDER BY id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; None leaves a property open. `since` is included, `until` is not."""

    actor_user_id: UUID | None = None
    actor_api_key_id: UUID | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def chosen(self) -> dict[str, str]:
        """Return what was filtered by, as text."""
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return {
            name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in values.items()
        }


def entries(connection: Connection, wanted: AuditFilter, *, after: UUID | None, limit: int) -> Sequence[dict[str, Any]]:
    """Return entries after a cursor, newest first: `limit` and one more where there are more."""
    return connection.execute(ENTRIES, {**asdict(wanted), "last": after, "limit": limit + 1}).fetchall()
