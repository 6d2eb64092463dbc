"""What a report is asked to be about, and what who asks may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from chatsphere.access.bot_access import bot_access
from chatsphere.access.permissions import Permission, Role, Scope
from chatsphere.access.principal import Principal
from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, InsufficientRoleError, InsufficientScopeError, InvalidRequestError

MOST_DAYS: Final = 400
USUAL_DAYS: Final = 30

EARLIEST: Final = date(1970, 1, 1)
LATEST: Final = date(9998, 12, 31)
"""Further away lies nothing, and a day more could be no date."""


class Group(StrEnum):
    """What a report is split by."""

    DAY = "day"
    BOT = "bot"
    API_KEY = "api_key"
    END_USER = "end_user"
    MODEL = "model"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Period:
    """Days of UTC, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which events count; None: all. `bot_ids`: those that the credential is limited to."""

    bot_id: UUID | None = None
    bot_ids: Collection[UUID] | None = None
    api_key_id: UUID | None = None
    end_user: str | None = None
    model: str | None = None
    channel: str | None = None

    def values(self) -> dict[str, Any]:
        """Return them as parameters of SQL."""
        return {
            "bot_id": self.bot_id,
            "bot_ids": None if self.bot_ids is None else list(self.bot_ids),
            "api_key_id": self.api_key_id,
            "end_user": self.end_user,
            "model": self.model,
            "channel": self.channel,
        }


def period_of(since: date | None, until: date | None, today: date) -> Period:
    """Return the days that were asked for: of none named, the last 30 up to `until`, and `until` is today.

    Raises:
        InvalidRequestError: there are none, or more than 400.
    """
    last = until or today
    try:
        first = since or last - timedelta(days=USUAL_DAYS - 1)
        days = (last - first).days + 1
    except OverflowError:
        days = 0
    if not 1 <= days <= MOST_DAYS or not EARLIEST <= first <= last <= LATEST:
        raise _invalid("since", "invalid_period", f"From since to until are at least 1 and at most {MOST_DAYS} days.")
    return Period(first, last)


def check_split(group: Group, narrowed: Narrowed) -> bool:
    """Return whether the report is of end users: their sums are kept by day and bot alone.

    Raises:
        InvalidRequestError: it is to be of end users and of what their sums are not kept by.
    """
    if group is not Group.END_USER and narrowed.end_user is None:
        return False
    others = (narrowed.api_key_id, narrowed.model, narrowed.channel)
    if group in (Group.API_KEY, Group.MODEL, Group.CHANNEL) or any(each is not None for each in others):
        raise _invalid("end_user", "not_combined", "Of end users there are numbers by day and bot only.")
    return True


def narrowed_to_visible(connection: Connection, caller: Principal, bot_id: UUID | None) -> Narrowed:
    """Return what of the organization the caller may have numbers of.

    Raises:
        NotFoundError: the caller sees no such bot.
        InsufficientRoleError: no bot is named, and who asks may not see all of them.
    """
    if bot_id is None:
        if caller.role < Role.ADMIN:
            raise InsufficientRoleError("Without a bot_id this requires the role admin.")
        return Narrowed(bot_ids=caller.bot_ids)
    access = bot_access(connection, caller, {"bot_id": bot_id})
    assert access is not None, "a bot is named"
    access.check(Permission.INSIGHTS_READ, caller)
    return Narrowed(bot_id=bot_id)


def require_conversations(caller: Principal) -> None:
    """Raise unless the caller may see what people say and who they are.

    Raises:
        InsufficientScopeError: an API key without the scope.
    """
    if not caller.reads_conversations:
        raise InsufficientScopeError(f"This requires the scope {Scope.CONVERSATIONS_READ.value}, too.")


def _invalid(parameter: str, code: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(
        "See `errors` for the fields that are not valid.", (FieldError(f"query/{parameter}", code, detail),)
    )
