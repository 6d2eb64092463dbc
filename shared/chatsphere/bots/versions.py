"""The history of bots: what each was, who changed it and when. A version never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots import version_queries as queries
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import Bot
from chatsphere.db.database import Connection
from chatsphere.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version without its content. `created_by` is None where it is not known."""

    version: int
    restored_from: int | None
    created_by: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version(VersionSummary):
    """A version with all of its content, by the bot's field names; of the settings, those that were set."""

    content: Mapping[str, Any]


def record(
    connection: Connection, bot_id: UUID, *, by: UUID | None, at: datetime, restored_from: int | None = None
) -> None:
    """Keep the bot as it is now as its version, unless that version is kept already."""
    values = {"id": bot_id, "by": by, "at": at, "restored_from": restored_from}
    connection.execute(queries.RECORD, values)


def catch_up(connection: Connection, bot: Bot) -> int:
    """Return the version that a held bot is at, once what changed it without a version has one."""
    row = connection.execute(queries.CATCH_UP, {"id": bot.id}).fetchone()
    record(connection, bot.id, by=None, at=bot.updated_at)
    return bot.version if row is None else row["version"]


def versions_page(connection: Connection, bot_id: UUID, *, before: int | None, limit: int) -> Sequence[VersionSummary]:
    """Return a bot's versions before this one, newest first: `limit` and one more where there are more."""
    values = {"bot_id": bot_id, "before": before, "limit": limit + 1}
    return [VersionSummary(**row) for row in connection.execute(queries.PAGE, values)]


def get_version(connection: Connection, bot_id: UUID, version: int) -> Version:
    """Return one version of a bot.

    Raises:
        NotFoundError: the bot has no such version.
    """
    row = connection.execute(queries.GET, {"bot_id": bot_id, "version": version}).fetchone()
    if row is None:
        raise NotFoundError("There is no such version.")
    return Version(**row)


def bot_at(connection: Connection, bot: Bot, version: int | None) -> Bot:
    """Return the bot as it answered at a version, for trying it out; None: as it is.

    Raises:
        NotFoundError: the bot has no such version.
    """
    if version is None or version == bot.version:
        return bot
    content = get_version(connection, bot.id, version).content
    return replace(
        bot,
        system_prompt=content["system_prompt"],
        model=content["model"],
        temperature=content["temperature"],
        # What is masked now is masked: whoever asks an earlier version asks today.
        configuration=BotConfiguration.stored({**content["configuration"], "redaction": bot.configuration.redaction}),
        version=version,
    )
