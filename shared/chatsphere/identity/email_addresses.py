"""Proving a mail address, and changing to another one."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

from chatsphere.db.database import Connection, Database
from chatsphere.errors import ConflictError, EmailTakenError, InvalidTokenError
from chatsphere.identity import credential_queries as queries
from chatsphere.identity import single_use_tokens, throttling
from chatsphere.identity.emails import normalized_email
from chatsphere.identity.passwords import Passwords, confirm
from chatsphere.identity.people import Person, find_person, lock_person
from chatsphere.identity.single_use_tokens import Purpose, SingleUseToken
from chatsphere.identity.throttling import confirmation_subject
from chatsphere.ports.system import Clock


@dataclass(frozen=True, slots=True)
class ProvedEmail:
    """An address that its owner has proved. `former` is the one before, where this took its place."""

    user_id: UUID
    email: str
    former: str | None


def require_unverified(database: Database, user_id: UUID) -> None:
    """Raise `ConflictError` where the person has proved their address."""
    with database.transaction(None) as connection:
        if find_person(connection, user_id).is_verified:
            raise ConflictError("The mail address is confirmed already.")


def request_change(passwords: Passwords, user_id: UUID, *, email: str, password: str) -> str:
    """Return the address, as it is stored, that a person may have a token mailed to. Whether it is taken is not said.

    Raises:
        NotConfirmedError: the password is another one.
        InvalidRequestError: it is not a mail address.
        ConflictError: it is the account's address already.
    """
    address = normalized_email(email)
    person = confirm(passwords, user_id, password)
    if address.lower() == person.email.lower():
        raise ConflictError("This is the account's mail address already.")
    with passwords.database.transaction(None) as connection:
        throttling.forget(connection, confirmation_subject(user_id))
    return address


def prove(database: Database, clock: Clock, token: str) -> ProvedEmail:
    """Take the token that was mailed to an address: it is proved, and becomes the account's where that was asked for.

    Raises:
        InvalidTokenError: the token is none that can be used.
        EmailTakenError: somebody else has registered with the address meanwhile; the token can still be used.
    """
    now, purposes = clock.now(), [Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL]
    with database.transaction(None) as connection:
        found = single_use_tokens.find(connection, token, purposes, now=now)
        person = lock_person(connection, found.user_id)
        single_use_tokens.use(connection, found.id, now=now)
        if found.purpose is Purpose.CHANGE_EMAIL:
            return _change(connection, person, found)
        if connection.execute(queries.VERIFY_EMAIL, {"user_id": person.id, "email": found.payload}).rowcount == 0:
            raise InvalidTokenError
        return ProvedEmail(person.id, person.email, former=None)


def _change(connection: Connection, person: Person, token: SingleUseToken) -> ProvedEmail:
    try:
        connection.execute(queries.CHANGE_EMAIL, {"user_id": person.id, "email": token.payload})
    except psycopg.errors.UniqueViolation:
        raise EmailTakenError from None
    # What was mailed to the former address is worthless.
    single_use_tokens.discard(connection, person.id, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL, Purpose.RESET_PASSWORD)
    return ProvedEmail(person.id, token.payload, former=person.email)
