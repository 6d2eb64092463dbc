"""Keeping a turn: question, answer, usage and source statistics, all or nothing, and once."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from chatsphere.billing.budgets import Spending, settle
from chatsphere.chat import message_rows, queries, under_way, under_way_queries
from chatsphere.chat.cache import counting
from chatsphere.chat.draft import Draft
from chatsphere.chat.services import Services
from chatsphere.chat.turns import AskedTurn
from chatsphere.chat.unanswered import noting
from chatsphere.db.database import Connection
from chatsphere.errors import ChatSphereError, NotFoundError, UnavailableError
from chatsphere.ports.system import Ids


class AnswerInterruptedError(UnavailableError):
    """The function that wrote the answer was killed, or late: what there was of it was kept as interrupted."""

    code = "answer_interrupted"
    title = "The answer was interrupted"


def keep_turn(turn: AskedTurn, draft: Draft, latency_ms: Mapping[str, int], services: Services) -> None:
    """Write the turn in one transaction.

    Raises:
        NotFoundError: the bot or the conversation was deleted during the answer.
        AnswerInterruptedError: it was kept as interrupted meanwhile.
    """
    now, question = services.clock.now(), turn.question
    with services.database.transaction(question.organization_id, question.user_id, pipelined=True) as connection:
        with connection.pipeline():
            ended = connection.execute(under_way_queries.END, {"message_id": turn.answer_id})
            held = holding(connection, turn, now)
        held()
        if ended.rowcount == 0:
            raise AnswerInterruptedError
        write_turn(connection, turn, draft, latency_ms, services.ids, now)


def settle_lost_turn(
    turn: AskedTurn, draft: Draft, latency_ms: Mapping[str, int], services: Services, error: Exception
) -> None:
    """Settle a turn that could not be kept: it was paid for all the same.

    Where the database was lost, whoever looks next keeps it as interrupted, in case it was not kept after all. Should
    this fail, too, then that is done when its time is over, with what was noted last.
    """
    question = turn.question
    with suppress(ChatSphereError), services.database.transaction(question.organization_id) as connection:
        if isinstance(error, UnavailableError) and not isinstance(error, AnswerInterruptedError):
            progress = under_way.progress_of(draft, draft.usage, latency_ms)
            under_way.give_up(connection, turn.answer_id, progress, services.clock.now())
            return
        connection.execute(under_way_queries.END, {"message_id": turn.answer_id})
        settle_spending(connection, turn, draft)


def holding(connection: Connection, turn: AskedTurn, now: datetime) -> Callable[[], None]:
    """Open the conversation, or mark it as used, also in a pipeline: what is returned is called after it.

    That raises NotFoundError where it, or its bot, is not there any more.
    """
    statement = queries.ADD_CONVERSATION if turn.is_new else queries.TOUCH_CONVERSATION
    held = connection.execute(statement, message_rows.conversation_row(turn, now))

    def check() -> None:
        if held.rowcount == 0:
            raise NotFoundError("The conversation or its bot was deleted.")

    return check


def write_turn(
    connection: Connection, turn: AskedTurn, draft: Draft, latency_ms: Mapping[str, int], ids: Ids, now: datetime
) -> None:
    """Write the turn's rows; whoever calls holds the right to."""
    connection.execute(queries.ADD_QUESTION, message_rows.question_row(turn))
    connection.execute(queries.ADD_ANSWER, message_rows.answer_row(turn, draft, latency_ms, now))
    connection.execute(queries.ADD_USAGE, message_rows.usage_row(turn, draft, latency_ms, ids.new(), now))
    if draft.sources:
        connection.execute(queries.COUNT_SOURCES, message_rows.source_counts(draft, now))
    # Who asks a version by its number compares versions: no reader was left without an answer.
    if draft.reason in noting.REASONS and turn.question.bot_version is None:
        connection.execute(noting.NOTE, message_rows.unanswered_row(turn, draft, ids.new(), now))
    if draft.cache is not None:
        question = turn.question
        row = counting.count_row(question.organization_id, question.bot_id, draft.cache, now)
        connection.execute(counting.COUNT, row)
    if draft.error is not None:
        connection.execute(queries.ADD_ERROR, message_rows.error_row(turn, draft, ids.new(), now))
    settle_spending(connection, turn, draft)


def settle_spending(connection: Connection, turn: AskedTurn, draft: Draft) -> None:
    """Count the answer against quota and budgets. One that failed is no answer, and what it used is used."""
    used = Spending(draft.usage.tokens, draft.usage.cost_microdollars)
    settle(connection, turn.answer_id, used, messages=0 if draft.error else 1)
