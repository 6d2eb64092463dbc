"""Bots: made, read, changed, deleted."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.bots import queries
from chatsphere.bots.configuration import BotConfiguration
from chatsphere.bots.model import Bot, BotDraft
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.ports import MessageQueue


def get_bot(connection: Connection, bot_id: UUID) -> Bot:
    """Return one of the tenant's bots.

    Raises:
        NotFoundError: the tenant has no such bot, or it is being deleted.
    """
    return _one(connection.execute(queries.GET, {"id": bot_id}).fetchone())


def bots_page(
    connection: Connection, *, only: Collection[UUID] | None, after: UUID | None, limit: int
) -> Sequence[Bot]:
    """Return bots after a cursor, newest first: `limit` and one more where there are more.

    `only` limits them to these, None does not.
    """
    only_ids = None if only is None else list(only)
    rows = connection.execute(queries.PAGE, {"only": only_ids, "after": after, "limit": limit + 1})
    return [_bot(row) for row in rows]


def create_bot(
    connection: Connection, draft: BotDraft, *, organization_id: UUID, bot_id: UUID, created_by: UUID, now: datetime
) -> Bot:
    """Make a bot of the tenant."""
    values = {
        **asdict(draft),
        "configuration": _stored(draft.configuration),
        "id": bot_id,
        "organization_id": organization_id,
        "created_by": created_by,
        "now": now,
    }
    return _one(connection.execute(queries.INSERT, values).fetchone())


def change_bot(
    connection: Connection,
    bot_id: UUID,
    changes: Mapping[str, Any],
    configuration: BotConfiguration | None,
    *,
    now: datetime,
) -> Bot:
    """Change the named fields, and of the configuration the settings that `configuration` sets.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    # Locked: of two changes at once, neither may undo the other.
    bot = _one(connection.execute(queries.GET_LOCKED, {"id": bot_id}).fetchone())
    changed = replace(bot, **changes)
    if configuration is not None:
        changed = replace(changed, configuration=bot.configuration.merged(configuration))
    values = {**asdict(changed), "configuration": _stored(changed.configuration), "now": now}
    return _one(connection.execute(queries.UPDATE, values).fetchone())


def delete_bot(
    database: Database, purge_queue: MessageQueue, *, organization_id: UUID, actor_id: UUID, bot_id: UUID, now: datetime
) -> None:
    """Take a bot away at once, and have its documents, vectors and objects deleted.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    with database.transaction(organization_id, actor_id) as connection:
        if connection.execute(queries.MARK_DELETING, {"id": bot_id, "now": now}).rowcount == 0:
            raise NotFoundError("There is no such bot.")
    # After the commit: a message that came first would find a bot that is not being deleted. One that is lost is
    # not the caller's concern: the bot is gone, and the reaper finds what it left.
    with suppress(UnavailableError):
        purge_queue.send([{"organization_id": str(organization_id), "bot_id": str(bot_id)}], group=str(organization_id))


def _one(row: dict[str, Any] | None) -> Bot:
    if row is None:
        raise NotFoundError("There is no such bot.")
    return _bot(row)


def _bot(row: dict[str, Any]) -> Bot:
    return Bot(**{**row, "configuration": BotConfiguration.stored(row["configuration"])})


def _stored(configuration: BotConfiguration) -> str:
    return json.dumps(configuration.changed())
