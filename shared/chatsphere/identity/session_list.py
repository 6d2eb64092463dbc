"""A person's own sessions, in every organization: seen, ended, and opened for another organization."""

from collections.abc import Sequence
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import NotFoundError, UnauthorizedError
from chatsphere.identity import queries as membership_queries
from chatsphere.identity import session_queries as queries
from chatsphere.identity.model import Member, Session, TokenPair
from chatsphere.identity.people import lock_person
from chatsphere.identity.sessions import Sessions, open_session, revoke
from chatsphere.ports.system import Clock


def page(database: Database, clock: Clock, user_id: UUID, *, after: UUID | None, limit: int) -> Sequence[Session]:
    """Return the open sessions after a cursor, newest first: `limit` and one more where there are more."""
    values = {"user_id": user_id, "now": clock.now(), "after": after, "limit": limit + 1}
    with database.transaction(None) as connection:
        return [Session(**row) for row in connection.execute(queries.SESSIONS, values)]


def end(database: Database, clock: Clock, user_id: UUID, session_id: UUID) -> None:
    """End one of a person's sessions: its next request is refused.

    Raises:
        NotFoundError: the person has no such open session.
    """
    now = clock.now()
    with database.transaction(None) as connection:
        values = {"id": session_id, "user_id": user_id, "now": now}
        if connection.execute(queries.SESSION, values).fetchone() is None:
            raise NotFoundError("There is no such session.")
        revoke(connection, session_id, now=now)


def switch(sessions: Sessions, user_id: UUID, organization_id: UUID, *, session_id: UUID | None) -> TokenPair:
    """Open a session of the same person in another of their organizations; the present one, `session_id`, stays.

    Raises:
        NotFoundError: the person is no member of such an organization.
        UnauthorizedError: the present session has ended.
    """
    with sessions.database.transaction(organization_id, user_id) as connection:
        # Whoever ends the person's sessions waits, or has ended the one that asks: the new one does not slip past.
        lock_person(connection, user_id)
        present = {"id": session_id, "user_id": user_id, "now": sessions.clock.now()}
        if session_id is not None and connection.execute(queries.SESSION, present).fetchone() is None:
            raise UnauthorizedError
        named = {"organization_id": organization_id, "user_id": user_id, "session_id": None}
        row = connection.execute(membership_queries.MEMBER, named).fetchone()
        if row is None:
            raise NotFoundError("There is no such organization.")
        return open_session(sessions, connection, Member(row["organization_id"], row["user_id"], row["role"]))
