"""Logging in, and staying so: access tokens that live for minutes, refresh tokens that are used once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import InvalidLoginError, UnauthorizedError
from chatsphere.identity import queries
from chatsphere.identity.model import Member, TokenPair
from chatsphere.identity.opaque_tokens import new_refresh_token, refresh_token_id, secret_hash
from chatsphere.ports import Clock, Ids, PasswordHasher, TokenSigner


@dataclass(frozen=True, slots=True)
class Sessions:
    """What issuing tokens needs. `database` is the authenticator's: a credential comes before its tenant."""

    database: Database
    tokens: TokenSigner
    ids: Ids
    clock: Clock
    access_token_seconds: int
    refresh_token_seconds: int


def log_in(sessions: Sessions, passwords: PasswordHasher, *, email: str, password: str) -> TokenPair:
    """Check a password and open a session.

    Raises:
        InvalidLoginError: no active user has this address and password; each reason takes the same work.
    """
    with sessions.database.transaction(None) as connection:
        row = connection.execute(queries.PASSWORD_OF, {"email": email.strip()}).fetchone()
    if not passwords.verify(row["password_hash"] if row else None, password) or row is None:
        raise InvalidLoginError
    stale = passwords.needs_rehash(row["password_hash"])
    new_hash = passwords.hash(password) if stale else None
    member = Member(row["organization_id"], row["user_id"], row["role"])
    with sessions.database.transaction(None) as connection:
        connection.execute(
            queries.RECORD_LOGIN,
            {"user_id": member.user_id, "password_hash": new_hash, "now": sessions.clock.now()},
        )
        return _issue(sessions, connection, member, family_id=sessions.ids.new())


def open_session(sessions: Sessions, member: Member) -> TokenPair:
    """Open a session for somebody who has just proved who they are."""
    with sessions.database.transaction(None) as connection:
        return _issue(sessions, connection, member, family_id=sessions.ids.new())


def refresh(sessions: Sessions, refresh_token: str) -> TokenPair:
    """Use a refresh token up and return its successor, with a new access token.

    Using one twice means that somebody else has it too: all tokens from the same login are revoked.

    Raises:
        UnauthorizedError: the token is unknown, expired, revoked or used before.
    """
    presented = _presented(refresh_token, sessions.clock.now())
    with sessions.database.transaction(None) as connection:
        row = connection.execute(queries.USE_REFRESH_TOKEN, presented).fetchone()
        if row is not None:
            member = Member(row["organization_id"], row["user_id"], row["role"])
            return _issue(sessions, connection, member, family_id=row["family_id"])
        connection.execute(queries.REVOKE_REUSED_FAMILY, presented)
    # Outside of the block, whose exception would roll the revocation back.
    raise UnauthorizedError("The refresh token is not valid.")


def log_out(sessions: Sessions, refresh_token: str) -> None:
    """Revoke a refresh token and all from the same login. An unknown token is no error: there is nothing left."""
    try:
        presented = _presented(refresh_token, sessions.clock.now())
    except UnauthorizedError:
        return
    with sessions.database.transaction(None) as connection:
        connection.execute(queries.REVOKE_FAMILY, presented)


def _issue(sessions: Sessions, connection: Connection, member: Member, *, family_id: UUID) -> TokenPair:
    now = sessions.clock.now()
    token_id = sessions.ids.new()
    secret = new_refresh_token(token_id)
    connection.execute(
        queries.INSERT_REFRESH_TOKEN,
        {
            "id": token_id,
            "family_id": family_id,
            "organization_id": member.organization_id,
            "user_id": member.user_id,
            "secret_hash": secret.hash,
            "now": now,
            "expires_at": now + timedelta(seconds=sessions.refresh_token_seconds),
        },
    )
    claims = {"sub": str(member.user_id), "org": str(member.organization_id)}
    return TokenPair(sessions.tokens.sign(claims, now=now), secret.text, sessions.access_token_seconds)


def _presented(refresh_token: str, now: datetime) -> dict[str, object]:
    token_id = refresh_token_id(refresh_token)
    if token_id is None:
        raise UnauthorizedError("The refresh token is not valid.")
    return {"id": token_id, "secret_hash": secret_hash(refresh_token), "now": now}
