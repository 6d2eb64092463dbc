"""What a key may be: never more than who makes or changes it has."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.access.permissions import BotLevel, Role, Scope, bot_level
from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, ForbiddenError, InsufficientRoleError, InvalidRequestError
from chatsphere.identity import api_key_queries as queries
from chatsphere.identity.model import ApiKey, ApiKeySettings

NOT_OF_A_BOT: Final = frozenset(
    {
        Scope.API_KEYS,
        Scope.ORGANIZATION_WRITE,
        Scope.AUDIT_READ,
        Scope.ERASURES_WRITE,
        Scope.WEBHOOKS_READ,
        Scope.WEBHOOKS_WRITE,
    }
)
"""What is about the whole organization: a key limited to bots cannot do it."""


def check_settings(
    connection: Connection, caller: Principal, wanted: ApiKeySettings, *, bots: Collection[UUID] | None
) -> None:
    """Raise unless the settings fit together and `bots`, those of them that are new, are bots that the caller sees.

    Raises:
        InvalidRequestError: they do not.
    """
    scopes = set(wanted.scopes)
    if wanted.bot_ids is not None and (beyond := sorted(scopes & NOT_OF_A_BOT)):
        raise _invalid("scopes", "not_of_a_bot", f"A key limited to bots cannot have {', '.join(beyond)}.")
    # Such a key could otherwise make another one without the limit.
    if wanted.is_limited and Scope.API_KEYS in scopes:
        raise _invalid("scopes", "limited_key", "A key with a rate limit or budget of its own cannot manage API keys.")
    _check_bots(connection, caller, bots)


def check_scopes(caller: Principal, granted: Collection[str], *, present: Collection[str] = ()) -> None:
    """Raise `ForbiddenError` where a key would get a scope that neither it nor the caller has."""
    beyond = sorted(set(granted) - set(caller.scopes) - set(present))
    if beyond:
        raise ForbiddenError(f"A key cannot grant more than its maker has: {', '.join(beyond)}.")


def allowed_expiry(wanted: datetime | None, own: datetime | None, now: datetime) -> datetime | None:
    """Return when the key is to expire: as wanted, or with the key that makes it, which expires at `own`.

    Raises:
        InvalidRequestError: it would have expired already.
        ForbiddenError: it would outlive the key that makes it.
    """
    if wanted is not None and wanted <= now:
        raise _invalid("expires_at", "in_the_past", "Not in the future.")
    if own is None or (wanted is not None and wanted <= own):
        return wanted
    if wanted is None:
        return own
    raise ForbiddenError("A key cannot outlive the key that makes it.")


def check_owner(connection: Connection, caller: Principal, key: ApiKey) -> None:
    """Raise `InsufficientRoleError` where the key acts with a higher role than the caller's."""
    row = connection.execute(queries.ROLE_OF, {"user_id": key.created_by}).fetchone()
    if row is not None and Role.of(row["role"]) > caller.role:
        raise InsufficientRoleError("The key acts with a higher role than yours.")


def owner(caller: Principal) -> UUID | None:
    """Return whose keys the caller manages: their own; None, everybody's, for admins and owners."""
    return None if caller.role >= Role.ADMIN else caller.user_id


def _check_bots(connection: Connection, caller: Principal, bot_ids: Collection[UUID] | None) -> None:
    if bot_ids is None:
        return
    values = {"bot_ids": list(bot_ids), "user_id": caller.user_id}
    seen = {
        row["id"]
        for row in connection.execute(queries.BOTS, values)
        if bot_level(caller.role, row["visibility"], BotLevel.of(row["permission"])) >= BotLevel.VIEW
    }
    if unknown := sorted(set(bot_ids) - seen):
        errors = tuple(FieldError("body/bot_ids", "unknown_bot", f"There is no bot {bot_id}.") for bot_id in unknown)
        raise InvalidRequestError("The key names a bot that does not exist.", errors)


def _invalid(field: str, code: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(
        "See `errors` for the fields that are not valid.", (FieldError(f"body/{field}", code, detail),)
    )
