"""The gate that every request with a credential passes before its use case: rate, scope, role, and permission on the
bot. Its one short transaction is the request's first; what it counted stays counted when the request fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.access.bot_access import BotAccess, looking_up
from chatsphere.access.permissions import Permission
from chatsphere.access.principal import Principal
from chatsphere.access.rate_limits import RateLimit, taking
from chatsphere.db.database import Database
from chatsphere.errors import ChatSphereError, NotFoundError, TooManyRequestsError
from chatsphere.observability import Metric, record

NOBODY: Final = UUID(int=0)
"""What an id that cannot be one is looked up as: nothing has it."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request at the gate, with what the database knows about it."""

    caller: Principal
    permission: Permission
    path: Mapping[str, UUID]
    rate: RateLimit | None
    bot: BotAccess | None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that say how many requests are left."""
        return {} if self.rate is None else self.rate.headers

    def check(self) -> None:
        """Let the request in, or count the refusal and raise.

        Raises:
            TooManyRequestsError: the principal's bucket is empty.
            InsufficientScopeError, InsufficientRoleError, ForbiddenError: see `Principal.require`.
            NotFoundError: the organization, bot or conversation does not exist for this caller.
            InsufficientPermissionError: the bot may be seen, and no more.
        """
        try:
            self._check()
        except ChatSphereError as error:
            record(Metric.REQUESTS_REFUSED, code=error.code)
            raise

    def _check(self) -> None:
        if self.rate is not None and not self.rate.allowed:
            raise TooManyRequestsError(f"{self.rate.quota} requests a minute are permitted.", self.rate.reset)
        self.caller.require(self.permission)
        if self.path.get("organization_id", self.caller.organization_id) != self.caller.organization_id:
            raise NotFoundError("There is no such organization.")
        if self.bot is not None:
            self.bot.check(self.permission, self.caller)


def arrive(
    caller: Principal, permission: Permission, path: Mapping[str, UUID], *, database: Database, now: datetime
) -> Visit:
    """Count the request and look up what it is about; nothing is decided yet.

    Raises:
        UnavailableError: the database does not answer.
    """
    with database.transaction(caller.organization_id, caller.user_id, pipelined=True) as connection:
        bot = looking_up(connection, caller, path)
        # Last, for it locks the principal's row until the end.
        rate = taking(connection, caller.id, caller.api_key_id, now)
    return Visit(caller, permission, path, rate(), bot())


def path_ids(parameters: Mapping[str, str]) -> dict[str, UUID]:
    """Return the ids among a path's parameters, by name."""
    return {name: _id(text) for name, text in parameters.items() if name.endswith("_id")}


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return NOBODY
