"""API keys: made, listed, read, changed, revoked.

Admins and owners manage all of the organization's keys, others their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.access.principal import Principal
from chatsphere.billing.quotas import Quota, require_room
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.identity import api_key_queries as queries
from chatsphere.identity.api_key_rules import allowed_expiry, check_owner, check_scopes, check_settings, owner
from chatsphere.identity.model import ApiKey, ApiKeySettings, NewApiKey
from chatsphere.identity.opaque_tokens import new_api_key


class AlreadyRotatedError(ConflictError):
    """Another key takes this one's place already."""

    code = "already_rotated"
    title = "The API key was rotated before"


def create(
    connection: Connection, caller: Principal, wanted: ApiKeySettings, *, key_id: UUID, now: datetime
) -> NewApiKey:
    """Make a key that acts as the caller.

    Raises:
        QuotaExceededError: the plan permits no more keys.
        ForbiddenError: it would grant more, or for longer, than the caller has.
        InvalidRequestError: its settings do not fit together, it names a bot that the caller does not see, or it has
            expired already.
    """
    # First: it holds the organization, which those who remove a member hold before their keys.
    require_room(connection, Quota.API_KEYS)
    check_scopes(caller, wanted.scopes)
    check_settings(connection, caller, wanted, bots=wanted.bot_ids)
    expires_at = allowed_expiry(wanted.expires_at, own_expiry(connection, caller), now)
    return insert(connection, caller, replace(wanted, expires_at=expires_at), key_id=key_id, now=now)


def get(connection: Connection, key_id: UUID, *, caller: Principal | None = None, hold: bool = False) -> ApiKey:
    """Return one of the tenant's keys that the caller manages, without a caller any; a revoked one is gone.

    Raises:
        NotFoundError: there is no such key.
    """
    values = {"id": key_id, "owner": owner(caller) if caller else None}
    row = connection.execute(queries.GET_LOCKED if hold else queries.GET, values).fetchone()
    if row is None:
        raise NotFoundError("There is no such API key.")
    return ApiKey(**row)


def page(
    connection: Connection, caller: Principal, *, prefix: str | None, after: UUID | None, limit: int
) -> Sequence[ApiKey]:
    """Return the keys that the caller manages, newest first: `limit` and one more where there are more."""
    values = {"owner": owner(caller), "prefix": prefix, "after": after, "limit": limit + 1}
    return [ApiKey(**row) for row in connection.execute(queries.PAGE, values)]


def change(
    connection: Connection, caller: Principal, key_id: UUID, changes: Mapping[str, Any], *, now: datetime
) -> ApiKey:
    """Change the named settings of a key and leave the rest.

    Raises:
        NotFoundError: the caller manages no such key.
        InsufficientRoleError: the key acts with a higher role than the caller's.
        AlreadyRotatedError: it only lives on until its successor is in use everywhere.
        ForbiddenError, InvalidRequestError: as `create`.
    """
    key = get(connection, key_id, caller=caller, hold=True)
    check_owner(connection, caller, key)
    if key.rotated_to is not None:
        raise AlreadyRotatedError("Change the key that takes its place.")
    changed = replace(key.settings, **changes)
    check_scopes(caller, changed.scopes, present=key.scopes)
    # Bots that it named before may be gone, or seen by its maker only.
    check_settings(connection, caller, changed, bots=changed.bot_ids if "bot_ids" in changes else None)
    if "expires_at" in changes:
        changed = replace(changed, expires_at=allowed_expiry(changed.expires_at, own_expiry(connection, caller), now))
    row = connection.execute(queries.UPDATE, _stored(changed) | {"id": key_id}).fetchone()
    assert row is not None
    return ApiKey(**row)


def revoke(connection: Connection, caller: Principal, key_id: UUID, *, now: datetime) -> None:
    """Revoke a key: the next request with it is refused.

    Raises:
        NotFoundError: the caller manages no such key.
    """
    values = {"id": key_id, "owner": owner(caller), "now": now}
    if connection.execute(queries.REVOKE, values).rowcount == 0:
        raise NotFoundError("There is no such API key.")


def own_expiry(connection: Connection, caller: Principal) -> datetime | None:
    """Return when the key that is asking expires; None for a person, and for a key that never does."""
    return get(connection, caller.api_key_id).expires_at if caller.api_key_id else None


def insert(
    connection: Connection, caller: Principal, settings: ApiKeySettings, *, key_id: UUID, now: datetime
) -> NewApiKey:
    """Store a key of the caller's with settings that were checked."""
    prefix, secret = new_api_key()
    identity = {
        "id": key_id,
        "organization_id": caller.organization_id,
        "created_by": caller.user_id,
        "prefix": prefix,
        "secret_hash": secret.hash,
        "now": now,
    }
    row = connection.execute(queries.INSERT, _stored(settings) | identity).fetchone()
    assert row is not None
    return NewApiKey(secret.text, ApiKey(**row))


def _stored(settings: ApiKeySettings) -> dict[str, Any]:
    bot_ids = None if settings.bot_ids is None else sorted(settings.bot_ids)
    return asdict(settings) | {"scopes": sorted(settings.scopes), "bot_ids": bot_ids}
