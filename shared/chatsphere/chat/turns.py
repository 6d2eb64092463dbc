"""One turn of a conversation in the database: a short transaction before the answer, another after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.bots.bots import get_bot
from chatsphere.bots.model import Bot
from chatsphere.chat import queries
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ConflictError, NotFoundError
from chatsphere.ports import Clock, Ids, Turn

HISTORY_MESSAGES: Final = 12
CLOCK_SKEW: Final = timedelta(days=1)
"""Messages are looked for up to this far ahead: writers' clocks differ."""


class BotInactiveError(ConflictError):
    """The bot exists and is switched off."""

    code = "bot_inactive"
    title = "The bot is not active"


@dataclass(frozen=True, slots=True)
class Question:
    """What someone asks a bot. `documents` restricts the search to these."""

    organization_id: UUID
    user_id: UUID
    bot_id: UUID
    message: str
    api_key_id: UUID | None = None
    conversation_id: UUID | None = None
    end_user_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    documents: frozenset[UUID] | None = None
    channel: str = "api"


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """All that answering needs from the database, and the ids under which the turn will be kept."""

    question: Question
    bot: Bot
    conversation_id: UUID
    is_new: bool
    question_id: UUID
    answer_id: UUID
    asked_at: datetime
    history: Sequence[Turn]
    has_documents: bool


def open_turn(question: Question, *, database: Database, clock: Clock, ids: Ids) -> OpenTurn:
    """Read what answering needs.

    Raises:
        NotFoundError: there is no such bot, or no such conversation of it and of this end user.
        BotInactiveError: the bot is switched off.
    """
    asked_at = clock.now()
    with database.transaction(question.organization_id, question.user_id) as connection:
        bot = get_bot(connection, question.bot_id)
        if not bot.is_active:
            raise BotInactiveError("The bot is not active; activate it to chat with it.")
        history = _history(connection, question, asked_at)
        has_documents = connection.execute(queries.HAS_DOCUMENTS, {"bot_id": question.bot_id}).fetchone()
    return OpenTurn(
        question=question,
        bot=bot,
        conversation_id=question.conversation_id or ids.new(),
        is_new=question.conversation_id is None,
        question_id=ids.new(),
        answer_id=ids.new(),
        asked_at=asked_at,
        history=history,
        has_documents=bool(has_documents and has_documents["found"]),
    )


def _history(connection: Connection, question: Question, now: datetime) -> list[Turn]:
    """Return the last messages, the oldest first."""
    if question.conversation_id is None:
        return []
    conversation = connection.execute(
        queries.CONVERSATION_OF_BOT, {"conversation_id": question.conversation_id, "bot_id": question.bot_id}
    ).fetchone()
    if conversation is None or _is_another_users(conversation, question):
        raise NotFoundError("There is no such conversation.")
    rows = connection.execute(
        queries.RECENT_MESSAGES,
        {
            "conversation_id": question.conversation_id,
            "since": conversation["created_at"],
            "until": now + CLOCK_SKEW,
            "limit": HISTORY_MESSAGES,
        },
    ).fetchall()
    return [Turn(row["role"], row["content"]) for row in reversed(rows)]


def _is_another_users(conversation: Mapping[str, Any], question: Question) -> bool:
    """Return whether the conversation was begun by another end user than the one who is said to ask now."""
    owner, asking = conversation["end_user_id"], question.end_user_id
    return owner is not None and asking is not None and owner != asking
