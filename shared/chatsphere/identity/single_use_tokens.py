"""Tokens that count once: mailed to prove an address, or between a password and a second factor."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import InvalidTokenError
from chatsphere.identity import single_use_queries as queries
from chatsphere.identity.opaque_tokens import new_single_use_token, secret_hash, single_use_token_id
from chatsphere.ports.system import Ids


class Purpose(StrEnum):
    """What a token is for; it is good for nothing else."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a secret
    MFA_LOGIN = "mfa_login"
    MFA_ENROLL = "mfa_enroll"


@dataclass(frozen=True, slots=True)
class SingleUseToken:
    """A token that may be used now. `payload` is the address that it proves, or a sealed secret; `email` the person's
    address at present."""

    id: UUID
    user_id: UUID
    purpose: Purpose
    payload: str
    email: str


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token to be made. `payload` is kept with it."""

    user_id: UUID
    purpose: Purpose
    payload: str
    seconds: int


def issue(connection: Connection, request: TokenRequest, *, ids: Ids, now: datetime) -> str:
    """Store a new token and return its text, which is kept nowhere."""
    token_id = ids.new()
    secret = new_single_use_token(token_id)
    values = {
        "id": token_id,
        "user_id": request.user_id,
        "purpose": request.purpose,
        "secret_hash": secret.hash,
        "payload": request.payload,
        "now": now,
        "expires_at": now + timedelta(seconds=request.seconds),
    }
    connection.execute(queries.INSERT, values)
    connection.execute(queries.DELETE_EXPIRED, {"now": now})
    return secret.text


def recent(connection: Connection, request: TokenRequest, *, since: datetime) -> int:
    """Return how many tokens for this the person was given since then, or anybody for an address that they want."""
    values = {"user_id": request.user_id, "purpose": request.purpose, "payload": request.payload, "since": since}
    row = connection.execute(queries.RECENT, values).fetchone()
    return int(row["tokens"]) if row else 0


def find(connection: Connection, text: str, purposes: Collection[Purpose], *, now: datetime) -> SingleUseToken:
    """Return the token with this text, unused.

    Raises:
        InvalidTokenError: there is none for these purposes that may be used now.
    """
    token_id = single_use_token_id(text)
    if token_id is None:
        raise InvalidTokenError
    values = {"id": token_id, "secret_hash": secret_hash(text), "purposes": list(purposes), "now": now}
    row = connection.execute(queries.FIND, values).fetchone()
    if row is None:
        raise InvalidTokenError
    return SingleUseToken(row["id"], row["user_id"], Purpose(row["purpose"]), row["payload"] or "", row["email"])


def use(connection: Connection, token_id: UUID, *, now: datetime) -> None:
    """Use a token up.

    Raises:
        InvalidTokenError: somebody else has just used it.
    """
    if connection.execute(queries.USE, {"id": token_id, "now": now}).rowcount == 0:
        raise InvalidTokenError


def discard(connection: Connection, user_id: UUID, *purposes: Purpose) -> None:
    """Make a person's tokens for these purposes worthless."""
    connection.execute(queries.DISCARD, {"user_id": user_id, "purposes": list(purposes)})
