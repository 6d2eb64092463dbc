"""Bots as OpenAI's clients name them: the `model` of a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.access.permissions import BotLevel, bot_level
from chatsphere.access.principal import Principal
from chatsphere.bots.bots import VISIBILITIES
from chatsphere.bots.slugs import has_id_form
from chatsphere.chat.openai import queries
from chatsphere.db.database import Connection

MOST: Final = 1000
"""The list is not paged, for OpenAI's is not: so many of the newest are listed."""


@dataclass(frozen=True, slots=True)
class NamedBot:
    """A bot by its name as a model. `answers`: it is neither switched off nor archived."""

    id: UUID
    name: str
    created_at: datetime
    owner: str
    answers: bool


@dataclass(frozen=True, slots=True)
class ListedBot:
    """What a list of models says of a bot."""

    name: str
    created_at: datetime
    owner: str


def named_bot(connection: Connection, model: str) -> NamedBot | None:
    """Return the tenant's bot of this slug or id; whether the caller may see it is not looked at."""
    # A text that PostgreSQL cannot hold is no bot's name.
    if not model.isprintable():
        return None
    by_id = has_id_form(model.lower())
    values = {"id": UUID(model) if by_id else None, "slug": None if by_id else model}
    row = connection.execute(queries.BOT_BY_NAME, values).fetchone()
    return None if row is None else NamedBot(**row)


def askable_bots(connection: Connection, caller: Principal) -> Sequence[ListedBot]:
    """Return the bots that the caller may ask and that answer, newest first."""
    values = {
        "user_id": caller.user_id,
        "seen": [each for each in VISIBILITIES if bot_level(caller.role, each, BotLevel.NONE) >= BotLevel.VIEW],
        "only": None if caller.bot_ids is None else list(caller.bot_ids),
        "limit": MOST,
    }
    return [ListedBot(**row) for row in connection.execute(queries.BOTS, values)]
