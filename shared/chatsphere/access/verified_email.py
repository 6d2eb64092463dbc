"""Some things may be done only by who has proved a mail address: what reaches people outside the organization."""

from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import EmailNotVerifiedError

IS_VERIFIED: Final = "SELECT is_verified FROM users WHERE id = %(user_id)s"


def require_verified_email(connection: Connection, user_id: UUID) -> None:
    """Raise unless the person's mail address was proved. Runs in a transaction that sees the person.

    Raises:
        EmailNotVerifiedError: it was not.
    """
    row = connection.execute(IS_VERIFIED, {"user_id": user_id}).fetchone()
    if row is None or not row["is_verified"]:
        raise EmailNotVerifiedError
