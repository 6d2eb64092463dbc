"""Noting what no row's change tells: a failed login, an export, lent credentials.

Everything else is noted by the database itself, in the same transaction as the change (`app.audit` in the migrations).
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Connection

# Without a tenant, as when somebody logs in: in each organization of the person whom it is about.
NOTE: Final = """
    SELECT app.write_audit(
        COALESCE(%(organization_id)s, app.current_organization()), %(person_id)s, %(action)s, %(object_type)s,
        %(object_id)s, NULL, %(after)s)
"""


def note(
    connection: Connection,
    action: str,
    object_type: str,
    object_id: UUID | None,
    *,
    after: Mapping[str, Any] | None = None,
    organization_id: UUID | None = None,
) -> None:
    """Write an entry of the audit log; actor and origin are the unit of work's.

    `action` is `type.verb`, as `session.created`. `after` is shown to every administrator of the organization: no
    secret, and nothing personal. The organization is the unit of work's, or `organization_id`; where neither is known
    and the object is a user, the entry is written in each of that person's organizations.
    """
    values = {
        "organization_id": organization_id,
        "person_id": object_id if object_type == "user" else None,
        "action": action,
        "object_type": object_type,
        "object_id": None if object_id is None else str(object_id),
        "after": None if after is None else Jsonb(dict(after)),
    }
    connection.execute(NOTE, values)
