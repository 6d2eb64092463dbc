"""Answers for visitors of public bots."""

from collections.abc import Iterator

from chatsphere.chat.answering import answer
from chatsphere.chat.audience import Audience
from chatsphere.chat.events import ChatEvent
from chatsphere.chat.services import Services
from chatsphere.chat.turns import Question
from chatsphere.errors import BudgetExhaustedError, QuotaExceededError, UnavailableError


class BotExhaustedError(UnavailableError):
    """The month's messages or budget of the bot's organization are used up."""

    code = "bot_exhausted"
    title = "The bot does not answer for the time being"


def answer_visitor(question: Question, services: Services, audience: Audience) -> Iterator[ChatEvent]:
    """Yield what `answer` does. What plan and budget the bot's organization has is none of a visitor's business.

    Raises:
        NotFoundError: there is no such public bot, or no such conversation of a visitor with it.
        BotExhaustedError: its organization can pay for no further answer.
    """
    try:
        yield from answer(question, services, audience)
    except (QuotaExceededError, BudgetExhaustedError):
        raise BotExhaustedError from None
