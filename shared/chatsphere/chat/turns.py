"""A turn of a conversation: what is asked, under which ids it is kept, and what answering it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.bots.model import Bot
from chatsphere.chat.wishes import Wishes
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.ports.answers import Turn

PUBLIC: Final = "public"
"""The channel of visitors of public bots."""

HISTORY_MESSAGES: Final = 12
"""How much of what was said before a question comes with it."""

CLOCK_SKEW: Final = timedelta(days=1)
"""Messages are looked for up to this far ahead: writers' clocks differ."""


@dataclass(frozen=True, slots=True)
class Question:
    """What someone asks a bot. `filter` says which documents are searched; None: all.

    `user_id` is None for a visitor of a public bot, whose `channel` is `PUBLIC`. `bot_version` asks the bot as it was
    at that version.

    `reads_conversations`: who asks may go on with an end user's conversation without saying whose it is.

    `history` is taken instead of the conversation's own. `wishes` are for this answer alone.
    """

    organization_id: UUID
    user_id: UUID | None
    bot_id: UUID
    message: str
    api_key_id: UUID | None = None
    conversation_id: UUID | None = None
    end_user_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    filter: DocumentFilter | None = None
    channel: str = "api"
    bot_version: int | None = None
    history: Sequence[Turn] | None = None
    wishes: Wishes = field(default_factory=Wishes)
    reads_conversations: bool = True


@dataclass(frozen=True, slots=True)
class AskedTurn:
    """A question, and under which ids it and the answer of `model` are kept. `is_new`: they begin a conversation."""

    question: Question
    conversation_id: UUID
    is_new: bool
    question_id: UUID
    answer_id: UUID
    asked_at: datetime
    model: str

    def fields(self) -> dict[str, Any]:
        """Return them by name."""
        return {each.name: getattr(self, each.name) for each in fields(AskedTurn)}


@dataclass(frozen=True, slots=True)
class OpenTurn(AskedTurn):
    """All that answering needs from the database. `basis`: what an answer that is kept to be given again rests on, see
    `chatsphere.chat.cache.basis`; None where none is, or the bot is gone.
    """

    bot: Bot
    history: Sequence[Turn]
    has_documents: bool
    basis: Mapping[str, Any] | None = None
