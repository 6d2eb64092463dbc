"""Deleting one person from every organization; what they made for an organization stays the organization's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.db.database import Database
from chatsphere.identity.throttling import confirmation_subject, login_subject, second_factor_subject
from chatsphere.privacy import person_queries as queries
from chatsphere.privacy.looking import count_person

STEP: Final = 5000
"""Rows changed in one transaction."""


@dataclass(frozen=True, slots=True)
class PersonEraser:
    """Deletes as the eraser's role (`database`), and from the archives of organizations that go on."""

    database: Database
    archives: ArchiveEraser

    def email(self, user_id: UUID) -> str | None:
        """Return the person's mail address, None where the person is gone."""
        with self.database.transaction(None) as connection:
            row = connection.execute(queries.EMAIL, {"user_id": user_id}).fetchone()
        return str(row["email"]) if row else None

    def places(self, user_id: UUID) -> list[UUID]:
        """Return the organizations that the person is in, or did something in: their archives may tell of it."""
        with self.database.transaction(None) as connection:
            return [row["organization_id"] for row in connection.execute(queries.PLACES, {"user_id": user_id})]

    def look(self, user_id: UUID, email: str, places: Sequence[UUID]) -> dict[str, int]:
        """Return what there is of the person, by table, and in the archives of these organizations."""
        with self.database.transaction(None) as connection:
            counts = count_person(connection, user_id, email, _subjects(user_id, email))
        archived = sum(self.archives.count(place, user_id=user_id) for place in places)
        return counts | ({"archived_rows": archived} if archived else {})

    def erase(self, user_id: UUID, email: str, places: Sequence[UUID]) -> None:
        """Delete the person, or what is left of them. Doing it again changes nothing."""
        for place in places:
            self.archives.erase(place, user_id=user_id)
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
