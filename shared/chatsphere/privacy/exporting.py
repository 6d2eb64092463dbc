"""A copy of everything that is held on a person, in every organization."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.db.database import Database
from chatsphere.errors import UnauthorizedError
from chatsphere.privacy import exporting_queries as queries

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One part of the copy. Only the first has `profile` and `sections`; `activity` is one record more than asked for
    where there are more: {"id", "kind": "audit" or "usage", "record"}, newest first.
    """

    profile: Row | None
    sections: Mapping[str, Sequence[Row]] | None
    activity: Sequence[dict[str, Any]]


def personal_data(database: Database, user_id: UUID, *, after: UUID | None, limit: int) -> PersonalData:
    """Return the copy's part after a cursor, and note in the audit logs that it was taken.

    `database` is the authenticator's: the person may be in several organizations.

    Raises:
        UnauthorizedError: the person is gone.
    """
    values = {"user_id": user_id, "last": after, "limit": limit + 1}
    with database.transaction(None, user_id) as connection:
        profile = connection.execute(queries.PROFILE, values).fetchone()
        if profile is None:
            raise UnauthorizedError
        activity = connection.execute(queries.ACTIVITY, values).fetchall()
        if after is not None:
            return PersonalData(None, None, activity)
        sections = {name: connection.execute(query, values).fetchall() for name, query in queries.SECTIONS.items()}
        note(connection, "user.exported", "user", user_id)
    return PersonalData(profile, sections, activity)
