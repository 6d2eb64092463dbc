"""Logging in with a password, and as far as that gets somebody who has a second factor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection
from chatsphere.errors import InvalidLoginError
from chatsphere.identity import credential_queries as queries
from chatsphere.identity import single_use_tokens, throttling
from chatsphere.identity.homes import Homes
from chatsphere.identity.model import Member, MfaRequired, TokenPair
from chatsphere.identity.sessions import Sessions, open_session
from chatsphere.identity.single_use_tokens import Purpose, TokenRequest
from chatsphere.identity.throttling import CredentialThrottle, Subject
from chatsphere.ports.credentials import PasswordHasher


@dataclass(frozen=True, slots=True)
class Login:
    """What checking a password needs."""

    sessions: Sessions
    passwords: PasswordHasher
    throttle: CredentialThrottle
    homes: Homes
    mfa_login_seconds: int


def log_in(login: Login, *, email: str, password: str) -> TokenPair | MfaRequired:
    """Check a password and open a session, or ask for the second factor.

    Raises:
        InvalidLoginError: no active person has this address and password; each reason takes the same work.
        TooManyTriesError: too many were tried for this address, or from where the request comes.
    """
    # What is looked for is what tries are counted of: PostgreSQL's lower() also makes an `i` of `İ`.
    email = email.strip().lower()
    counted = login.throttle.admit_login(email)
    with login.sessions.database.transaction(None) as connection:
        row = connection.execute(queries.PASSWORD_OF, {"email": email}).fetchone()
    if not login.passwords.verify(row["password_hash"] if row else None, password) or row is None:
        _note_failure(login, row, counted)
        raise InvalidLoginError
    stale = login.passwords.needs_rehash(row["password_hash"])
    return _proved(login, row, counted, new_hash=login.passwords.hash(password) if stale else None)


def _note_failure(login: Login, row: Mapping[str, Any] | None, counted: Subject) -> None:
    """Tell the organization's audit log; for an unknown person write as much, so that it takes as long."""
    organization_id, user_id = (row["organization_id"], row["user_id"]) if row else (None, login.sessions.ids.new())
    # No actor: who tried is not known.
    with login.sessions.database.transaction(organization_id) as connection:
        throttling.touch(connection, counted, now=login.sessions.clock.now())
        note(connection, "user.login_failed", "user", user_id)


def _proved(login: Login, row: Mapping[str, Any], counted: Subject, *, new_hash: str | None) -> TokenPair | MfaRequired:
    sessions, member = login.sessions, _member(login, row)
    with sessions.database.transaction(member.organization_id, member.user_id) as connection:
        accepted = {"user_id": member.user_id, "verified": row["password_hash"], "new_hash": new_hash}
        if connection.execute(queries.ACCEPT_PASSWORD, accepted).rowcount == 0:
            # Changed since: who came with the former one must not slip past the sessions' revocation.
            raise InvalidLoginError
        throttling.forget(connection, counted)
        if row["mfa_enabled"]:
            return _ask_for_code(login, connection, member)
        connection.execute(queries.RECORD_LOGIN, {"user_id": member.user_id, "now": sessions.clock.now()})
        return open_session(sessions, connection, member)


def _member(login: Login, row: Mapping[str, Any]) -> Member:
    if row["organization_id"] is None:
        return login.homes.make(row["user_id"])
    return Member(row["organization_id"], row["user_id"], row["role"])


def _ask_for_code(login: Login, connection: Connection, member: Member) -> MfaRequired:
    sessions = login.sessions
    request = TokenRequest(member.user_id, Purpose.MFA_LOGIN, "", login.mfa_login_seconds)
    token = single_use_tokens.issue(connection, request, ids=sessions.ids, now=sessions.clock.now())
    return MfaRequired(token, login.mfa_login_seconds)
