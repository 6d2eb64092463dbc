"""Search as a use case of its own: what chat would retrieve, for whoever wants to see it."""

from collections.abc import Collection
from uuid import UUID

from chatsphere.bots.bots import get_bot
from chatsphere.chat.evidence import Retriever
from chatsphere.db.database import Database
from chatsphere.knowledge.retrieval.models import Mode, SearchResult


def search_bot(
    organization_id: UUID,
    user_id: UUID,
    bot_id: UUID,
    query: str,
    *,
    limit: int | None,
    documents: Collection[UUID] | None,
    mode: Mode,
    database: Database,
    retriever: Retriever,
) -> SearchResult:
    """Return the hits, best first, and how sure retrieval is; without `limit`, as many as the bot's chat takes.

    Raises:
        NotFoundError: the tenant has no such bot.
    """
    with database.transaction(organization_id, user_id) as connection:
        bot = get_bot(connection, bot_id)
    return retriever.search(
        organization_id, bot_id, query, limit=limit or bot.configuration.top_k, documents=documents, mode=mode
    )
