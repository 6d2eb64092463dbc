"""Visitors of public bots: anybody, without a credential, limited by the address they come from."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Final
from uuid import UUID, uuid5

from chatsphere.access.rate_limits import RateLimit, prune, take
from chatsphere.bots.model import Bot
from chatsphere.bots.publication import get_public_bot, organization_of
from chatsphere.db.database import Connection, Database
from chatsphere.errors import TooManyRequestsError

QUESTIONS_A_MINUTE: Final = 20
"""A person reads an answer before asking on, and some share an address; a program is soon stopped."""

QUESTIONS_OF_ALL_A_MINUTE: Final = 300
"""Of all visitors of one bot together: who has many addresses must not use the organization's month up in an hour."""

LOOKS_A_MINUTE: Final = 60
"""A page asks once when it is opened."""

PREFIX_BITS: Final = 64
"""Of an IPv6 address: who has one has all that begin like it."""


@dataclass(frozen=True, slots=True)
class Visited:
    """A public bot, and what is left of its visitor's minute."""

    bot: Bot
    rate: RateLimit | None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that say how many requests are left."""
        return {} if self.rate is None else self.rate.headers

    def check(self) -> None:
        """Let the visitor in, or raise. What was counted stays counted.

        Raises:
            TooManyRequestsError: this address comes too often.
        """
        if self.rate is not None and not self.rate.allowed:
            raise TooManyRequestsError(f"{self.rate.quota} requests a minute are permitted.", self.rate.reset)


def look_at(database: Database, bot_id: UUID, *, address: str | None, now: datetime) -> Visited:
    """Count a visitor who wants to see a public bot; nothing is decided yet.

    Raises:
        NotFoundError: there is no such public bot.
    """
    return _visit(database, bot_id, f"look:{visitor_place(address)}", LOOKS_A_MINUTE, now)


def come_to_ask(database: Database, bot_id: UUID, *, address: str | None, now: datetime) -> Visited:
    """Count a visitor who wants to ask a public bot; nothing is decided yet.

    Raises:
        NotFoundError: there is no such public bot.
    """
    asker = f"ask:{visitor_place(address)}"
    return _visit(database, bot_id, asker, QUESTIONS_A_MINUTE, now, of_all=QUESTIONS_OF_ALL_A_MINUTE)


def _visit(
    database: Database, bot_id: UUID, visitor: str, most: int, now: datetime, of_all: int | None = None
) -> Visited:
    with database.transaction(organization_of(database, bot_id)) as connection:
        bot = get_public_bot(connection, bot_id)
        rate = _take(connection, uuid5(bot_id, visitor), most, now)
        if of_all is not None and (rate is None or rate.allowed):
            together = take(connection, bot_id, None, now, most=of_all)
            rate = rate if together is None or together.allowed else together
        return Visited(bot, rate)


def _take(connection: Connection, visitor_id: UUID, most: int, now: datetime) -> RateLimit | None:
    rate = take(connection, visitor_id, None, now, most=most)
    if rate is not None and rate.remaining == rate.quota - 1:
        # Somebody new: there are as many visitors as addresses, and nobody else would ever clear them away.
        prune(connection, visitor_id, now)
    return rate


def visitor_place(address: str | None) -> str:
    """Return whom an address is counted as; one that is none is counted together with all such."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or IPv6Address(int(parsed) >> PREFIX_BITS << PREFIX_BITS)
    return str(parsed)
