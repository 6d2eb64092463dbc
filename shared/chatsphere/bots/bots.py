"""Bots: made, read, deleted. `changing` changes them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from chatsphere.access.permissions import BotLevel, bot_level
from chatsphere.access.principal import Principal
from chatsphere.billing.quotas import Quota, require_room
from chatsphere.bots import publication, queries, versions
from chatsphere.bots.author import Author
from chatsphere.bots.members import grant
from chatsphere.bots.model import Bot, BotDraft, bot_of
from chatsphere.bots.slugs import SlugTakenError, free_slug
from chatsphere.db.database import Connection, Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.receipts import Deletion, open_deletion
from chatsphere.ports.queues import MessageQueue
from chatsphere.retention.holds import refuse_if_held

VISIBILITIES: Final = ("private", "organization", "public")


def get_bot(connection: Connection, bot_id: UUID) -> Bot:
    """Return one of the tenant's bots.

    Raises:
        NotFoundError: the tenant has no such bot, or it is being deleted.
    """
    return bot_of(connection.execute(queries.GET, {"id": bot_id}).fetchone())


def bots_page(
    connection: Connection, caller: Principal, *, after: UUID | None, limit: int
) -> Sequence[tuple[Bot, BotLevel]]:
    """Return the bots that the caller sees, each with the caller's level, after a cursor, newest first.

    There are `limit` and one more where there are more.
    """
    values = {
        "user_id": caller.user_id,
        "seen": [each for each in VISIBILITIES if bot_level(caller.role, each, BotLevel.NONE) >= BotLevel.VIEW],
        "only": None if caller.bot_ids is None else list(caller.bot_ids),
        "after": after,
        "limit": limit + 1,
    }
    granted = [(BotLevel.of(row.pop("granted")), bot_of(row)) for row in connection.execute(queries.PAGE, values)]
    return [(bot, bot_level(caller.role, bot.visibility, level)) for level, bot in granted]


def create_bot(
    connection: Connection, draft: BotDraft, *, organization_id: UUID, bot_id: UUID, author: Author, now: datetime
) -> Bot:
    """Make a bot of the tenant. Its author manages it, and this is its first version.

    Raises:
        QuotaExceededError: the plan permits no further bot.
        EmailNotVerifiedError: it would be public, and the author's mail address was not verified.
        SlugTakenError: another bot has its slug.
    """
    if draft.visibility == "public":
        author.check_publishing(connection)
    require_room(connection, Quota.BOTS)
    values = {
        **asdict(draft),
        "slug": draft.slug or free_slug(connection, draft.name, bot_id),
        "configuration": draft.configuration.to_json(),
        "id": bot_id,
        "organization_id": organization_id,
        "created_by": author.user_id,
        "now": now,
    }
    row = connection.execute(queries.INSERT, values).fetchone()
    if row is None:
        raise SlugTakenError
    bot = bot_of(row)
    grant(connection, bot_id, author.user_id, BotLevel.MANAGE, now=now)
    versions.record(connection, bot_id, by=author.user_id, at=now)
    publication.keep_in_step(connection, bot_id, now)
    return bot


def delete_bot(
    database: Database, purge_queue: MessageQueue, *, organization_id: UUID, actor_id: UUID, bot_id: UUID, now: datetime
) -> Deletion:
    """Take a bot away at once, and have its documents, vectors and objects deleted.

    Raises:
        NotFoundError: the tenant has no such bot.
        LegalHoldError: it is held, or something of it.
    """
    with database.transaction(organization_id, actor_id) as connection:
        refuse_if_held(connection, bot_id=bot_id)
        values = {"id": bot_id, "status": "deleting", "now": now}
        bot_of(connection.execute(queries.SET_STATUS, values).fetchone())
        publication.keep_in_step(connection, bot_id, now)
        deletion = open_deletion(connection, bot_id, None, now)
    # After the commit: a message that came first would find a bot that is not being deleted. One that is lost is
    # not the caller's concern: the bot is gone, and the reaper finds what it left.
    with suppress(UnavailableError):
        purge_queue.send([{"organization_id": str(organization_id), "bot_id": str(bot_id)}], group=str(organization_id))
    return deletion
