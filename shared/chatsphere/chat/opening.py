"""The short transaction before an answer: what answering needs is read, and what it may cost is set aside."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chatsphere.billing.budgets import reserve
from chatsphere.bots.bots import get_bot
from chatsphere.bots.model import Bot
from chatsphere.bots.publication import get_public_bot
from chatsphere.bots.versions import bot_at
from chatsphere.chat import queries, under_way
from chatsphere.chat.cache.basis import BASIS
from chatsphere.chat.estimating import most_spent
from chatsphere.chat.evidence import Retriever
from chatsphere.chat.masking import question_masked, turns_masked
from chatsphere.chat.memory.reach import Reach, reach_of
from chatsphere.chat.turns import CLOCK_SKEW, HISTORY_MESSAGES, PUBLIC, AskedTurn, OpenTurn, Question
from chatsphere.db.database import Connection, Database
from chatsphere.errors import BotArchivedError, ConflictError, NotFoundError
from chatsphere.knowledge.redaction.masking import MakeFinder, masking, no_finder
from chatsphere.ports.answers import AnswerModel, Turn
from chatsphere.ports.system import Clock, Ids
from chatsphere.privacy.end_users import erased_check


class BotInactiveError(ConflictError):
    """The bot exists and is switched off."""

    code = "bot_inactive"
    title = "The bot is not active"


def open_turn(
    question: Question,
    *,
    database: Database,
    retriever: Retriever,
    clock: Clock,
    ids: Ids,
    model: AnswerModel,
    personal_data: MakeFinder = no_finder,
) -> OpenTurn:
    """Read what answering needs, and set aside what the answer may cost. What the bot is to mask of the question is
    masked in what is returned, and in what is kept.

    Raises:
        NotFoundError: there is no such bot, version, or conversation of it and of this end user. To a visitor, a bot
            that is not public, or answers nobody, does not exist.
        BotInactiveError, BotArchivedError: the bot is switched off, or archived.
        EndUserErasedError: the end user is being erased.
        QuotaExceededError, BudgetExhaustedError: see `chatsphere.billing.budgets.reserve`.
    """
    asked = _asked_turn(question, clock.now(), ids, model)
    # Before the transaction: a model's tokenizer may have to be loaded first.
    question_tokens = model.count_tokens(question.message)
    with database.transaction(question.organization_id, question.user_id, pipelined=True) as connection:
        bot = _bot(connection, question)
        kept = _history(connection, question, asked.asked_at)
        mask = masking(bot.configuration.redaction, personal_data)
        asked = replace(asked, question=question_masked(question, mask))
        bot = asked.question.wishes.applied_to(bot)
        history = turns_masked(kept, mask) if asked.question.history is None else asked.question.history
        recalls = reach_of(bot, question, history) != Reach()
        most = most_spent(bot, history, question_tokens, model, retriever.embedding_cost, recalls=recalls)
        # What nothing before the answer waits for goes along with what `reserve` asks for, in its round trip.
        refuse_erased = erased_check(connection, question.bot_id, question.end_user_id, asked.asked_at)
        has_documents = connection.execute(queries.HAS_DOCUMENTS, {"bot_id": question.bot_id})
        basis = connection.execute(BASIS, {"bot_id": question.bot_id}) if bot.configuration.cache else None
        under_way.begin(connection, asked)
        reserve(
            connection,
            asked.answer_id,
            most,
            organization_id=question.organization_id,
            api_key_id=question.api_key_id,
            now=asked.asked_at,
        )
        refuse_erased()
    found = has_documents.fetchone()
    return OpenTurn(
        **asked.fields(),
        bot=bot,
        history=history,
        has_documents=bool(found and found["found"]),
        basis=None if basis is None else basis.fetchone(),
    )


def _asked_turn(question: Question, now: datetime, ids: Ids, model: AnswerModel) -> AskedTurn:
    return AskedTurn(
        question=question,
        conversation_id=question.conversation_id or ids.new(),
        is_new=question.conversation_id is None,
        question_id=ids.new(),
        answer_id=ids.new(),
        asked_at=now,
        model=model.model,
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
    return bot_at(connection, bot, question.bot_version)


def _history(connection: Connection, question: Question, now: datetime) -> list[Turn]:
    """Return the last messages, the oldest first; none where the question brings others."""
    if question.conversation_id is None:
        return []
    conversation = connection.execute(
        queries.CONVERSATION_OF_BOT, {"conversation_id": question.conversation_id, "bot_id": question.bot_id}
    ).fetchone()
    if conversation is None or not _may_go_on(conversation, question):
        raise NotFoundError("There is no such conversation.")
    if question.history is not None:
        return []
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
    user is said to have begun it; whoever may not read conversations has to name that end user.
    """
    if question.channel == PUBLIC and conversation["channel"] != PUBLIC:
        return False
    owner, asking = conversation["end_user_id"], question.end_user_id
    return owner is None or owner == asking or (asking is None and question.reads_conversations)
