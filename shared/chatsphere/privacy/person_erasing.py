"""Deleting one person from every organization; what they made for an organization stays the organization's."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.identity.throttling import confirmation_subject, login_subject, second_factor_subject
from chatsphere.privacy import person_queries as queries
from chatsphere.privacy.looking import count_person

STEP: Final = 5000
"""Rows changed in one transaction."""


@dataclass(frozen=True, slots=True)
class PersonEraser:
    """Deletes as the eraser's role."""

    database: Database

    def email(self, user_id: UUID) -> str | None:
        """Return the person's mail address, None where the person is gone."""
        with self.database.transaction(None) as connection:
            row = connection.execute(queries.EMAIL, {"user_id": user_id}).fetchone()
        return str(row["email"]) if row else None

    def look(self, user_id: UUID, email: str) -> dict[str, int]:
        """Return what there is of the person, by table."""
        with self.database.transaction(None) as connection:
            return count_person(connection, user_id, email, _subjects(user_id, email))

    def erase(self, user_id: UUID, email: str) -> None:
        """Delete the person, or what is left of them. Doing it again changes nothing."""
        values = {"user_id": user_id, "email": email, "subjects": _subjects(user_id, email)}
        for statement in (queries.FORGET_USAGE, queries.FORGET_ORIGINS):
            while self._step(statement, values) == STEP:
                pass
        with self.database.transaction(None) as connection:
            # The keys' own rows are found by the keys, which go with the person: all or nothing.
            for statement in (*queries.FORGET_PRINCIPALS, *queries.FORGET_NAMES, queries.DELETE_USER):
                connection.execute(statement, values)

    def _step(self, statement: str, values: dict[str, Any]) -> int:
        with self.database.transaction(None) as connection:
            return connection.execute(statement, values | {"limit": STEP}).rowcount


def _subjects(user_id: UUID, email: str) -> list[bytes]:
    return [login_subject(email), second_factor_subject(user_id), confirmation_subject(user_id)]
