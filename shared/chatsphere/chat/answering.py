"""The use case of chat: from a question to a kept, cited answer, as a stream of events.

One short transaction before the model is asked and one after it; none during. Retrieval runs its own.
"""

from collections.abc import Iterator
from contextlib import nullcontext

from chatsphere.chat.audience import Audience
from chatsphere.chat.composing import compose
from chatsphere.chat.draft import Draft
from chatsphere.chat.events import AnswerDone, AnswerFailed, AnswerStarted, ChatEvent
from chatsphere.chat.keeping import keep_turn, settle_lost_turn
from chatsphere.chat.measuring import record_answer
from chatsphere.chat.opening import open_turn
from chatsphere.chat.services import Services
from chatsphere.chat.stopwatch import Stopwatch
from chatsphere.chat.turns import OpenTurn, Question
from chatsphere.failures import public_error
from chatsphere.observability import bind, logger


def answer(question: Question, services: Services, audience: Audience | None = None) -> Iterator[ChatEvent]:
    """Yield `AnswerStarted`, then the answer as it is made, then `AnswerDone` or `AnswerFailed`.

    Run it to its end even if nobody listens any more: only then is the turn kept. A bot may be set to stop writing
    when its `audience` has left. Whatever happens after the first event is an event, too.

    Raises:
        NotFoundError: no such bot or conversation. Like the next, before any event.
        BotInactiveError: the bot is switched off.
        QuotaExceededError, BudgetExhaustedError: nothing is left of the month's messages or budget.
    """
    watch = Stopwatch(services.timer)
    with watch.stage("load"):
        turn = open_turn(
            question,
            database=services.database,
            retriever=services.retriever,
            clock=services.clock,
            ids=services.ids,
            model=services.model,
            personal_data=services.personal_data,
        )
    bind(organization_id=str(question.organization_id), message_id=str(turn.answer_id))
    yield AnswerStarted(turn.conversation_id, turn.answer_id, question.bot_id, services.model.model)
    draft, audience = Draft(question_asked=turn.question.message), audience or Audience()
    stops = turn.bot.configuration.on_disconnect == "stop"
    with audience.on_leave(draft.cancellation.cancel) if stops else nullcontext():
        try:
            yield from compose(turn, draft, watch, services)
        except Exception as error:
            draft.fail(public_error(error))
    draft.client_left = audience.has_left
    last, is_kept = _settle(turn, draft, watch, services)
    try:
        yield last
    finally:
        # Also where nobody asks for more after the last event: whoever has read it is not kept waiting for this.
        if services.cache is not None:
            services.cache.store(turn, draft)
        if services.recall is not None and is_kept and turn.bot.configuration.memory:
            services.recall.remember(turn)


def _settle(turn: OpenTurn, draft: Draft, watch: Stopwatch, services: Services) -> tuple[ChatEvent, bool]:
    """Keep the turn; return the last event, and whether it is kept: nothing is done that is not."""
    is_kept = True
    if draft.dropped_citations:
        logger.warning("citations pointed at nothing", dropped=draft.dropped_citations)
    try:
        with watch.stage("persist"):
            keep_turn(turn, draft, watch.split(), services)
    except Exception as error:
        is_kept = False
        draft.error = draft.error or public_error(error)
        settle_lost_turn(turn, draft, watch.split(), services, error)
    record_answer(draft, watch.split())
    if draft.error is not None:
        return AnswerFailed(draft.error), is_kept
    done = AnswerDone(
        message_id=turn.answer_id,
        finish_reason=draft.finish_reason,
        answerable=draft.answerable,
        reason=draft.reason,
        confidence=draft.confidence,
        usage=draft.usage,
        latency_ms=watch.split(),
        cached=draft.cached,
    )
    return done, is_kept
