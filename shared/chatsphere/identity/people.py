"""A person as the authenticator knows them, in a transaction that changes what proves them."""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import UnauthorizedError
from chatsphere.identity import credential_queries as queries


@dataclass(frozen=True, slots=True)
class Person:
    """An active person. `mfa_secret` is sealed, and None where logging in takes no second factor."""

    id: UUID
    email: str
    is_verified: bool
    password_hash: str
    mfa_secret: str | None


def find_person(connection: Connection, user_id: UUID) -> Person:
    """Return an active person.

    Raises:
        UnauthorizedError: there is none any more.
    """
    return _person(connection, queries.PERSON, user_id)


def lock_person(connection: Connection, user_id: UUID) -> Person:
    """Return an active person whose credentials nobody else changes until the transaction ends.

    Whoever changes a password, an address, a second factor or a single-use token begins with this, so that they wait
    for each other here and nowhere else.

    Raises:
        UnauthorizedError: there is none any more.
    """
    return _person(connection, queries.LOCK_PERSON, user_id)


def _person(connection: Connection, query: str, user_id: UUID) -> Person:
    row = connection.execute(query, {"user_id": user_id}).fetchone()
    if row is None:
        raise UnauthorizedError
    secret = row["mfa_secret"] if row["mfa_enabled_at"] is not None else None
    return Person(row["id"], row["email"], row["is_verified"], row["password_hash"], secret)
