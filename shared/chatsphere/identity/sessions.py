"""Staying logged in: access tokens that live for minutes, refresh tokens that are used once, and their session.

A session is what one login began. Its access tokens name it (`sid`), so that revoking it ends them at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnauthorizedError
from chatsphere.identity import session_queries as queries
from chatsphere.identity.model import Member, TokenPair
from chatsphere.identity.opaque_tokens import new_refresh_token, refresh_token_id, secret_hash
from chatsphere.ports.credentials import TokenSigner
from chatsphere.ports.system import Clock, Ids


@dataclass(frozen=True, slots=True)
class Sessions:
    """What issuing tokens needs. `database` is the authenticator's: a credential comes before its tenant."""

    database: Database
    tokens: TokenSigner
    ids: Ids
    clock: Clock
    access_token_seconds: int
    refresh_token_seconds: int


def open_session(sessions: Sessions, connection: Connection, member: Member) -> TokenPair:
    """Open a session for somebody who has just proved who they are."""
    now, session_id = sessions.clock.now(), sessions.ids.new()
    whose = {"organization_id": member.organization_id, "user_id": member.user_id, "now": now}
    connection.execute(queries.DELETE_ENDED_TOKENS, whose)
    connection.execute(queries.DELETE_ENDED_SESSIONS, whose)
    connection.execute(queries.INSERT_SESSION, whose | {"id": session_id, "expires_at": _expiry(sessions, now)})
    return _issue(sessions, connection, member, session_id)


def refresh(sessions: Sessions, refresh_token: str) -> TokenPair:
    """Use a refresh token up and return its successor, with a new access token.

    Using one twice means that somebody else has it too: the session ends.

    Raises:
        UnauthorizedError: the token is unknown, expired, revoked or used before.
    """
    now = sessions.clock.now()
    presented = _presented(refresh_token, now)
    with sessions.database.transaction(None) as connection:
        row = connection.execute(queries.USE_REFRESH_TOKEN, presented).fetchone()
        if row is not None:
            member, session_id = Member(row["organization_id"], row["user_id"], row["role"]), row["family_id"]
            _extend(sessions, connection, member, session_id)
            return _issue(sessions, connection, member, session_id)
        reused = connection.execute(queries.USED_FAMILY, presented).fetchone()
        if reused is not None:
            revoke(connection, reused["family_id"], now=now)
    # Outside of the block, whose exception would roll the revocation back.
    raise UnauthorizedError("The refresh token is not valid.")


def log_out(sessions: Sessions, refresh_token: str) -> None:
    """Revoke the session of a refresh token. An unknown token is no error: there is nothing left."""
    now = sessions.clock.now()
    try:
        presented = _presented(refresh_token, now)
    except UnauthorizedError:
        return
    with sessions.database.transaction(None) as connection:
        row = connection.execute(queries.FAMILY, presented).fetchone()
        if row is not None:
            revoke(connection, row["family_id"], now=now)


def revoke(connection: Connection, session_id: UUID, *, now: datetime) -> None:
    """Revoke a session: its next request is refused. One that is revoked already stays so."""
    values = {"session_id": session_id, "now": now}
    connection.execute(queries.REVOKE_TOKENS, values)
    connection.execute(queries.REVOKE_SESSION, values)


def revoke_all(connection: Connection, user_id: UUID, *, now: datetime, but: UUID | None = None) -> None:
    """Revoke all of a person's sessions, or all but one."""
    values = {"user_id": user_id, "now": now, "but": but}
    connection.execute(queries.REVOKE_TOKENS_OF_PERSON, values)
    connection.execute(queries.REVOKE_SESSIONS_OF_PERSON, values)


def _extend(sessions: Sessions, connection: Connection, member: Member, session_id: UUID) -> None:
    now = sessions.clock.now()
    values = {
        "id": session_id,
        "organization_id": member.organization_id,
        "user_id": member.user_id,
        "now": now,
        "expires_at": _expiry(sessions, now),
    }
    if connection.execute(queries.EXTEND_SESSION, values).rowcount == 0:
        raise UnauthorizedError("The refresh token is not valid.")


def _issue(sessions: Sessions, connection: Connection, member: Member, session_id: UUID) -> TokenPair:
    now = sessions.clock.now()
    token_id = sessions.ids.new()
    secret = new_refresh_token(token_id)
    connection.execute(
        queries.INSERT_REFRESH_TOKEN,
        {
            "id": token_id,
            "family_id": session_id,
            "organization_id": member.organization_id,
            "user_id": member.user_id,
            "secret_hash": secret.hash,
            "now": now,
            "expires_at": _expiry(sessions, now),
        },
    )
    claims = {"sub": str(member.user_id), "org": str(member.organization_id), "sid": str(session_id)}
    return TokenPair(sessions.tokens.sign(claims, now=now), secret.text, sessions.access_token_seconds)


def _expiry(sessions: Sessions, now: datetime) -> datetime:
    return now + timedelta(seconds=sessions.refresh_token_seconds)


def _presented(refresh_token: str, now: datetime) -> dict[str, object]:
    token_id = refresh_token_id(refresh_token)
    if token_id is None:
        raise UnauthorizedError("The refresh token is not valid.")
    return {"id": token_id, "secret_hash": secret_hash(refresh_token), "now": now}
