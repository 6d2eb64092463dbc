"""Which bots anybody may ask, kept where it is found without knowing whose they are."""

from datetime import datetime
from uuid import UUID

from chatsphere.bots import queries
from chatsphere.bots.model import Bot, bot_of
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError


def keep_in_step(connection: Connection, bot_id: UUID, now: datetime) -> None:
    """Let `published_bots` follow the bot: called by whatever changes who sees it or whether it answers."""
    connection.execute(queries.KEEP_PUBLICATION, {"id": bot_id, "now": now})


def organization_of(database: Database, bot_id: UUID) -> UUID:
    """Return whose public bot this is; the only look into the database without a tenant.

    Raises:
        NotFoundError: there is no such public bot.
    """
    with database.transaction(None) as connection:
        row = connection.execute(queries.FIND_PUBLISHED, {"id": bot_id}).fetchone()
    if row is None:
        raise NotFoundError("There is no such bot.")
    organization_id: UUID = row["organization_id"]
    return organization_id


def get_public_bot(connection: Connection, bot_id: UUID) -> Bot:
    """Return one of the tenant's bots, if anybody may ask it. What the bot itself says decides.

    Raises:
        NotFoundError: there is no such public bot: missing, not public, switched off, archived or being deleted.
    """
    return bot_of(connection.execute(queries.GET_PUBLIC, {"id": bot_id}).fetchone())
