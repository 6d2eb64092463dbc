"""What the search in messages needs of a bot's memory."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from chatsphere.ports.message_vectors import MessageFilter, MessageMatch


class SemanticSearch(Protocol):
    """Finds messages by their meaning."""

    def search(
        self, organization_id: UUID, bot_id: UUID, query: str, *, limit: int, where: MessageFilter | None = None
    ) -> Sequence[MessageMatch]:
        """Return up to `limit` messages, the nearest first; none where the bot has no memory."""
        ...
