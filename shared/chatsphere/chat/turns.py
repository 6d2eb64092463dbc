"""One turn of a conversation in the database: a short transaction before the answer, another after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.billing.budgets import reserve
from chatsphere.bots.bots import get_bot
from chatsphere.bots.model import Bot
from chatsphere.bots.publication import get_public_bot
from chatsphere.chat import queries
from chatsphere.chat.estimating import most_spent
from chatsphere.db.database import Connection, Database
from chatsphere.errors import BotArchivedError, ConflictError, NotFoundError
from chatsphere.ports import AnswerModel, Clock, Ids, Turn

HISTORY_MESSAGES: Final = 12
PUBLIC: Final = "public"
"""The channel of visitors of public bots."""

CLOCK_SKEW: Final = timedelta(days=1)
"""Messages are looked for up to this far ahead: writers' clocks differ."""


class BotInactiveError(ConflictError):
    """The bot exists and is switched off."""

    code = "bot_inactive"
    title = "The bot is not active"


@dataclass(frozen=True, slots=True)
class Question:
    """What someone asks a bot. `documents` restricts the search to these.

    `user_id` is None for a visitor of a public bot, whose `channel` is `PUBLIC`.
    """

    organization_id: UUID
    user_id: UUID | None
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


def open_turn(question: Question, *, database: Database, clock: Clock, ids: Ids, model: AnswerModel) -> OpenTurn:
    """Read what answering needs, and set aside what the answer may cost.

    Raises:
        NotFoundError: there is no such bot, or no such conversation of it and of this end user. To a visitor, a bot
            that is not public, or answers nobody, does not exist.
        BotInactiveError, BotArchivedError: the bot is switched off, or archived.
        QuotaExceededError, BudgetExhaustedError: see `chatsphere.billing.budgets.reserve`.
    """
    asked_at, question_id, answer_id = clock.now(), ids.new(), ids.new()
    # Before the transaction: a model's tokenizer may have to be loaded first.
    question_tokens = model.count_tokens(question.message)
    with database.transaction(question.organization_id, question.user_id) as connection:
        bot = _bot(connection, question)
        history = _history(connection, question, asked_at)
        has_documents = connection.execute(queries.HAS_DOCUMENTS, {"bot_id": question.bot_id}).fetchone()
        reserve(
            connection,
            answer_id,
            most_spent(bot, history, question_tokens, model),
            organization_id=question.organization_id,
            api_key_id=question.api_key_id,
            now=asked_at,
        )
    return OpenTurn(
        question=question,
        bot=bot,
        conversation_id=question.conversation_id or ids.new(),
        is_new=question.conversation_id is None,
        question_id=question_id,
        answer_id=answer_id,
        asked_at=asked_at,
        history=history,
        has_documents=bool(has_documents and has_documents["found"]),
    )


def _bot(connection: Connection, question: Question) -> Bot:
    """Return the bot that is asked."""
    if question.channel == PUBLIC:
        return get_public_bot(connection, question.bot_id)
    bot = get_bot(connection, question.bot_id)
    if bot.status == "archived":
        raise BotArchivedError("The bot is archived; restore it to chat with it.")
    if not bot.is_active:
        raise BotInactiveError("The bot is not active; activate it to chat with it.")
    return bot


def _history(connection: Connection, question: Question, now: datetime) -> list[Turn]:
    """Return the last messages, the oldest first."""
    if question.conversation_id is None:
        return []
    conversation = connection.execute(
        queries.CONVERSATION_OF_BOT, {"conversation_id": question.conversation_id, "bot_id": question.bot_id}
    ).fetchone()
    if conversation is None or not _may_go_on(conversation, question):
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


def _may_go_on(conversation: Mapping[str, Any], question: Question) -> bool:
    """Return whether who asks now may go on with the conversation.

    A visitor may with one that a visitor began: knowing its id shows whose it is. Anybody else may unless another end
    user is said to have begun it.
    """
    if question.channel == PUBLIC and conversation["channel"] != PUBLIC:
        return False
    owner, asking = conversation["end_user_id"], question.end_user_id
    return owner is None or asking is None or owner == asking
