"""Changes of bots. Each holds the bot's row: of two at once, neither undoes the other, and each has its version."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from chatsphere.bots import publication, queries, version_queries, versions
from chatsphere.bots.author import Author
from chatsphere.bots.bots import get_bot
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import Bot, bot_of
from chatsphere.bots.slugs import SlugTakenError, free_slug
from chatsphere.db.database import Connection
from chatsphere.errors import BotArchivedError, NotFoundError, VersionConflictError
from chatsphere.knowledge.ingestion.transitions import restore_bot_status


@dataclass(frozen=True, slots=True)
class BotChange:
    """What to change of a bot: the named fields, and of the configuration the settings that it sets.

    `expected_version`: the change is refused if the bot is at another one by now; None: it is not.
    """

    fields: Mapping[str, Any]
    configuration: BotConfiguration | None = None
    expected_version: int | None = None


def change_bot(connection: Connection, bot_id: UUID, change: BotChange, *, author: Author, now: datetime) -> Bot:
    """Change a bot; a change of its content is a new version.

    Raises:
        NotFoundError: the tenant has no such bot.
        BotArchivedError: it is archived.
        VersionConflictError: it is not at the version that is expected.
        InsufficientPermissionError, EmailNotVerifiedError: see `Author.check_state_change`.
        SlugTakenError: another bot has its slug.
    """
    bot = _hold(connection, bot_id, change.expected_version)
    changed = replace(bot, **change.fields)
    if change.configuration is not None:
        changed = replace(changed, configuration=bot.configuration.merged(change.configuration))
    if (changed.visibility, changed.is_active) != (bot.visibility, bot.is_active):
        author.check_state_change(connection, changed.visibility)
    if changed.slug is None:
        changed = replace(changed, slug=free_slug(connection, changed.name, bot_id))
    values = {**asdict(changed), "configuration": changed.configuration.to_json(), "now": now}
    try:
        changed = bot_of(connection.execute(queries.UPDATE, values).fetchone())
    except psycopg.errors.UniqueViolation:
        raise SlugTakenError from None
    versions.record(connection, bot_id, by=author.user_id, at=now)
    publication.keep_in_step(connection, bot_id, now)
    return changed


def publish(connection: Connection, bot_id: UUID, *, author: Author, now: datetime) -> Bot:
    """Let anybody ask a bot.

    Raises:
        As `change_bot`.
    """
    return change_bot(connection, bot_id, BotChange({"visibility": "public"}), author=author, now=now)


def unpublish(connection: Connection, bot_id: UUID, *, author: Author, now: datetime) -> Bot:
    """Make a public bot the organization's again. Nothing happens to any other: a private one stays private.

    Raises:
        As `change_bot`.
    """
    bot = bot_of(connection.execute(queries.HOLD, {"id": bot_id}).fetchone())
    if bot.visibility != "public":
        return bot
    return change_bot(connection, bot_id, BotChange({"visibility": "organization"}), author=author, now=now)


def roll_back(
    connection: Connection,
    bot_id: UUID,
    version: int,
    *,
    expected_version: int | None = None,
    author: Author,
    now: datetime,
) -> Bot:
    """Make a bot what it was at a version, as a new version; who sees it and whether it answers stays.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such version.
        BotArchivedError: it is archived.
        VersionConflictError: it is not at the version that is expected.
    """
    _hold(connection, bot_id, expected_version)
    row = connection.execute(version_queries.RESTORE, {"id": bot_id, "version": version, "now": now}).fetchone()
    if row is None:
        raise NotFoundError("There is no such version.")
    versions.record(connection, bot_id, by=author.user_id, at=now, restored_from=version)
    return bot_of(row)


def archive(connection: Connection, bot_id: UUID, *, now: datetime) -> Bot:
    """Put a bot away: it answers nobody and is kept as it is. Nothing happens to one that is archived.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    bot = bot_of(connection.execute(queries.HOLD, {"id": bot_id}).fetchone())
    if bot.status == "archived":
        return bot
    values = {"id": bot_id, "status": "archived", "now": now}
    bot = bot_of(connection.execute(queries.SET_STATUS, values).fetchone())
    publication.keep_in_step(connection, bot_id, now)
    return bot


def restore(connection: Connection, bot_id: UUID, *, author: Author, now: datetime) -> Bot:
    """Bring an archived bot back, with the status that its documents give it. Nothing happens to any other.

    Raises:
        NotFoundError: the tenant has no such bot.
        EmailNotVerifiedError: it is public, and the author's mail address was not verified.
    """
    bot = bot_of(connection.execute(queries.HOLD, {"id": bot_id}).fetchone())
    if bot.status != "archived":
        return bot
    author.check_state_change(connection, bot.visibility)
    restore_bot_status(connection, bot_id, now)
    publication.keep_in_step(connection, bot_id, now)
    return get_bot(connection, bot_id)


def _hold(connection: Connection, bot_id: UUID, expected_version: int | None) -> Bot:
    """Return a bot that may be changed, and that nobody else changes until the transaction ends."""
    bot = bot_of(connection.execute(queries.HOLD, {"id": bot_id}).fetchone())
    if bot.status == "archived":
        raise BotArchivedError("The bot is archived; restore it to change it.")
    version = versions.catch_up(connection, bot)
    if expected_version not in (None, version):
        raise VersionConflictError(f"The bot is at version {version} by now.")
    return bot
