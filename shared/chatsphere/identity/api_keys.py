"""API keys: made, listed, revoked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, ForbiddenError, InvalidRequestError, NotFoundError
from chatsphere.identity import queries
from chatsphere.identity.model import ApiKey, NewApiKey
from chatsphere.identity.opaque_tokens import new_api_key


@dataclass(frozen=True, slots=True)
class ApiKeyRequest:
    """What a key is to be. `bot_ids` is None for every bot of the organization."""

    name: str
    scopes: Collection[str]
    bot_ids: Collection[UUID] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes a key: a key never grants more than its maker has."""

    organization_id: UUID
    user_id: UUID
    scopes: Collection[str]
    api_key_id: UUID | None = None


def create(connection: Connection, maker: Maker, request: ApiKeyRequest, *, key_id: UUID, now: datetime) -> NewApiKey:
    """Make a key.

    Raises:
        ForbiddenError: it would grant more, or for longer, than the maker has.
        InvalidRequestError: it names a bot that the organization does not have, or has expired already.
    """
    _check_scopes(maker, request)
    _check_bots(connection, request.bot_ids)
    expires_at = _expiry(connection, maker, request.expires_at, now)
    prefix, secret = new_api_key()
    row = connection.execute(
        queries.INSERT_API_KEY,
        {
            "id": key_id,
            "organization_id": maker.organization_id,
            "created_by": maker.user_id,
            "secret_hash": secret.hash,
            "name": request.name,
            "prefix": prefix,
            "scopes": sorted(request.scopes),
            "bot_ids": None if request.bot_ids is None else sorted(request.bot_ids),
            "expires_at": expires_at,
            "now": now,
        },
    ).fetchone()
    assert row is not None
    return NewApiKey(secret.text, ApiKey(**row))


def get(connection: Connection, key_id: UUID) -> ApiKey:
    """Return one of the tenant's keys; a revoked one is gone.

    Raises:
        NotFoundError: the tenant has no such key.
    """
    row = connection.execute(queries.API_KEY, {"id": key_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such API key.")
    return ApiKey(**row)


def page(connection: Connection, *, after: UUID | None, limit: int) -> Sequence[ApiKey]:
    """Return the tenant's keys after a cursor, newest first: `limit` and one more where there are more."""
    rows = connection.execute(queries.API_KEYS, {"after": after, "limit": limit + 1})
    return [ApiKey(**row) for row in rows]


def revoke(connection: Connection, key_id: UUID, *, now: datetime) -> None:
    """Revoke a key: the next request with it is refused.

    Raises:
        NotFoundError: the tenant has no such key.
    """
    if connection.execute(queries.REVOKE_API_KEY, {"id": key_id, "now": now}).rowcount == 0:
        raise NotFoundError("There is no such API key.")


def _check_scopes(maker: Maker, request: ApiKeyRequest) -> None:
    beyond = sorted(set(request.scopes) - set(maker.scopes))
    if beyond:
        raise ForbiddenError(f"A key cannot grant more than its maker has: {', '.join(beyond)}.")


def _check_bots(connection: Connection, bot_ids: Collection[UUID] | None) -> None:
    if bot_ids is None:
        return
    known = {row["id"] for row in connection.execute(queries.KNOWN_BOTS, {"bot_ids": list(bot_ids)})}
    if unknown := sorted(set(bot_ids) - known):
        errors = tuple(FieldError("body/bot_ids", "unknown_bot", f"There is no bot {bot_id}.") for bot_id in unknown)
        raise InvalidRequestError("The key names a bot that does not exist.", errors)


def _expiry(connection: Connection, maker: Maker, wanted: datetime | None, now: datetime) -> datetime | None:
    if wanted is not None and wanted <= now:
        raise InvalidRequestError(
            "The key would have expired already.", (FieldError("body/expires_at", "in_the_past", "Not in the future."),)
        )
    own = get(connection, maker.api_key_id).expires_at if maker.api_key_id else None
    if own is None or (wanted is not None and wanted <= own):
        return wanted
    if wanted is None:
        return own
    raise ForbiddenError("A key cannot outlive the key that makes it.")
