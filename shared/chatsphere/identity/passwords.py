"""Choosing a new password: with the former one, or with a token that was mailed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import FieldError, InvalidRequestError, NotConfirmedError, UnauthorizedError
from chatsphere.identity import credential_queries as queries
from chatsphere.identity import single_use_tokens, throttling
from chatsphere.identity.people import Person, find_person, lock_person
from chatsphere.identity.sessions import revoke_all
from chatsphere.identity.single_use_tokens import Purpose
from chatsphere.identity.throttling import CredentialThrottle, confirmation_subject
from chatsphere.ports.credentials import PasswordHasher
from chatsphere.ports.system import Clock

BEGUN_WITH_A_PASSWORD: Final = (Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL, Purpose.MFA_LOGIN, Purpose.MFA_ENROLL)
"""What is worthless once the password is another: who knew the former one could finish with it what they began."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """What checking and changing passwords needs. `database` is the authenticator's."""

    database: Database
    hasher: PasswordHasher
    throttle: CredentialThrottle
    clock: Clock


def require_good_password(password: str, email: str, field: str = "password") -> None:
    """Raise `InvalidRequestError` where the password is the mail address: the first thing that is guessed."""
    if password.strip().lower() == email.strip().lower():
        errors = (FieldError(f"body/{field}", "password_is_email", "It must not be the mail address."),)
        raise InvalidRequestError("The password is too easy to guess.", errors)


def confirm(passwords: Passwords, user_id: UUID, password: str) -> Person:
    """Return the person who is logged in, once they have shown their password again.

    Raises:
        NotConfirmedError: it is another one.
        TooManyTriesError: too many were tried.
    """
    passwords.throttle.count(confirmation_subject(user_id))
    with passwords.database.transaction(None) as connection:
        person = find_person(connection, user_id)
    if not passwords.hasher.verify(person.password_hash, password):
        raise NotConfirmedError
    return person


def confirmed(connection: Connection, person: Person) -> Person:
    """Return the person as they are now, locked, in the transaction that does what they confirmed.

    Raises:
        NotConfirmedError: the password was changed since it was shown.
    """
    now = lock_person(connection, person.id)
    if now.password_hash != person.password_hash:
        raise NotConfirmedError
    throttling.forget(connection, confirmation_subject(person.id))
    return now


def change_password(passwords: Passwords, user_id: UUID, session_id: UUID | None, *, former: str, new: str) -> None:
    """Change one's own password; every other session ends, and what was mailed to reset it is worthless.

    Raises:
        NotConfirmedError: the former password is another one.
        InvalidRequestError: the new one is too easy to guess.
        TooManyTriesError: too many were tried.
    """
    person = confirm(passwords, user_id, former)
    require_good_password(new, person.email, "new_password")
    new_hash = passwords.hasher.hash(new)
    with passwords.database.transaction(None) as connection:
        confirmed(connection, person)
        _set_password(connection, passwords, person, new_hash, but=session_id)


def reset_password(passwords: Passwords, token: str, new: str) -> UUID:
    """Change the password of whom the token was mailed to, and return who it is; every session ends.

    The second factor stays: a mail does not replace it. The address is proved by the way; where that is for the first
    time, whoever made the account may have been somebody else, and what they left to come back by is taken away.

    Raises:
        InvalidTokenError: the token is none that can be used.
        InvalidRequestError: the new password is too easy to guess; the token can still be used.
    """
    now = passwords.clock.now()
    with passwords.database.transaction(None) as connection:
        found = single_use_tokens.find(connection, token, [Purpose.RESET_PASSWORD], now=now)
    require_good_password(new, found.email)
    # Only now: hashing takes its time on purpose, and anybody may ask for it.
    new_hash = passwords.hasher.hash(new)
    with passwords.database.transaction(None) as connection:
        person = lock_person(connection, found.user_id)
        single_use_tokens.use(connection, found.id, now=now)
        _set_password(connection, passwords, person, new_hash, but=None)
        if not person.is_verified:
            _take_over(connection, person.id, now)
        connection.execute(queries.VERIFY_EMAIL, {"user_id": person.id, "email": found.payload})
        throttling.forget_everywhere(connection, person.email)
    return person.id


def _set_password(
    connection: Connection, passwords: Passwords, person: Person, new_hash: str, *, but: UUID | None
) -> None:
    now = passwords.clock.now()
    values = {"user_id": person.id, "password_hash": new_hash, "now": now}
    if connection.execute(queries.SET_PASSWORD, values).rowcount == 0:
        raise UnauthorizedError
    single_use_tokens.discard(connection, person.id, *BEGUN_WITH_A_PASSWORD)
    revoke_all(connection, person.id, now=now, but=but)


def _take_over(connection: Connection, user_id: UUID, now: datetime) -> None:
    for statement in (queries.DISABLE_MFA, queries.DELETE_RECOVERY_CODES, queries.REVOKE_KEYS):
        connection.execute(statement, {"user_id": user_id, "now": now})
