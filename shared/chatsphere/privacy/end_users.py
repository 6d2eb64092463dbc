"""End users who are being erased: nothing is written for them meanwhile, whoever tries.

The database itself keeps rows out (triggers of migration 0021): what is late finds that nobody can keep it. Who asks is
told before an answer is paid for.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import EndUserErasedError
from chatsphere.privacy.model import Part

KEEP_OUT: Final = """
    INSERT INTO erased_end_users (organization_id, end_user_hash, erasure_id, bot_id, expires_at)
    SELECT id, sha256(convert_to(id::text || %(end_user_id)s::text, 'UTF8')), %(erasure_id)s, %(bot_id)s,
        COALESCE(%(expires_at)s::timestamptz, 'infinity')
    FROM organizations WHERE id = app.current_organization()
    ON CONFLICT (organization_id, end_user_hash, erasure_id) DO UPDATE SET expires_at = excluded.expires_at
"""

LET_IN: Final = """
    DELETE FROM erased_end_users
    WHERE organization_id = app.current_organization() AND erasure_id = %(erasure_id)s
"""

IS_ERASED: Final = """
    SELECT app.is_being_erased(%(bot_id)s, %(end_user_id)s, %(now)s) AS erased
"""


def keep_out(connection: Connection, part: Part, erasure_id: UUID, until: datetime | None) -> None:
    """Have nothing written for the end user until this moment; None: until further notice."""
    connection.execute(KEEP_OUT, part.values | {"erasure_id": erasure_id, "expires_at": until})


def let_in(connection: Connection, erasure_id: UUID) -> None:
    """Forget that somebody was kept out by this erasure."""
    connection.execute(LET_IN, {"erasure_id": erasure_id})


def refuse_erased(connection: Connection, bot_id: UUID, end_user_id: str | None, now: datetime) -> None:
    """Let a question of an end user pass who is not being erased.

    Raises:
        EndUserErasedError: they are; ask again when that is done.
    """
    erased_check(connection, bot_id, end_user_id, now)()


def erased_check(connection: Connection, bot_id: UUID, end_user_id: str | None, now: datetime) -> Callable[[], None]:
    """Ask whether an end user is being erased, also in a pipeline: what is returned is called once that is known, and
    refuses as `refuse_erased`.
    """
    if end_user_id is None:
        return lambda: None
    asked = connection.execute(IS_ERASED, {"bot_id": bot_id, "end_user_id": end_user_id, "now": now})

    def check() -> None:
        row = asked.fetchone()
        if row is not None and row["erased"]:
            raise EndUserErasedError("The end user is being erased; ask again when that is done.")

    return check
