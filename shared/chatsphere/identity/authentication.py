"""Whom a credential stands for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import MalformedApiKeyError, TokenExpiredError, UnauthorizedError
from chatsphere.identity import queries
from chatsphere.identity.opaque_tokens import API_KEY_MARK, api_key_prefix, fits
from chatsphere.ports.credentials import TokenVerifier
from chatsphere.ports.system import Clock

TOUCH_AFTER = timedelta(minutes=1)
"""A key's last use is noted at most this often: it would otherwise be a write for each request."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified caller. `scopes` is None where nothing is withheld, `bot_ids` where every bot may be used."""

    organization_id: UUID
    user_id: UUID
    role: str
    scopes: Collection[str] | None = None
    api_key_id: UUID | None = None
    bot_ids: Collection[UUID] | None = None
    session_id: UUID | None = None


def authenticate(credential: str, *, database: Database, tokens: TokenVerifier, clock: Clock) -> Identity:
    """Return whom a bearer credential, an API key or an access token, stands for.

    Raises:
        UnauthorizedError: it stands for nobody (any more).
        MalformedApiKeyError: it begins like an API key and cannot be one.
        TokenExpiredError: it has expired.
    """
    if credential.startswith(API_KEY_MARK):
        return _by_api_key(credential, database, clock.now())
    return _by_token(credential, database, tokens, clock.now())


def _by_token(token: str, database: Database, tokens: TokenVerifier, now: datetime) -> Identity:
    claims = tokens.verify(token, now=now)
    try:
        # Absent in a token of the release before.
        session_id = UUID(claims["sid"]) if "sid" in claims else None
        named = {"user_id": UUID(claims["sub"]), "organization_id": UUID(claims["org"]), "session_id": session_id}
    except (KeyError, ValueError, AttributeError, TypeError):
        raise UnauthorizedError from None
    # The token says who; the role, and whether they still belong and are logged in, is the database's to say.
    with database.transaction(None) as connection:
        row = connection.execute(queries.MEMBER, named).fetchone()
    if row is None:
        raise UnauthorizedError
    return Identity(**row)


def _by_api_key(key: str, database: Database, now: datetime) -> Identity:
    prefix = api_key_prefix(key)
    if prefix is None:
        raise MalformedApiKeyError("Its checksum is wrong: check that it was copied whole.")
    with database.transaction(None) as connection:
        row = connection.execute(queries.API_KEY_BY_PREFIX, {"prefix": prefix}).fetchone()
        if row is None or not fits(key, bytes(row["secret_hash"])):
            raise UnauthorizedError
        if row["expires_at"] is not None and row["expires_at"] <= now:
            raise TokenExpiredError("The API key has expired.")
        _touch(connection, row, now)
    return Identity(
        organization_id=row["organization_id"],
        user_id=row["user_id"],
        role=row["role"],
        scopes=row["scopes"],
        api_key_id=row["id"],
        bot_ids=row["bot_ids"],
    )


def _touch(connection: Connection, row: dict[str, Any], now: datetime) -> None:
    if row["last_used_at"] is None or now - row["last_used_at"] >= TOUCH_AFTER:
        connection.execute(queries.TOUCH_API_KEY, {"id": row["id"], "now": now})
