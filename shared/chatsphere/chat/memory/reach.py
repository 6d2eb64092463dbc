"""How far a bot may reach back for what was said before the history that a question comes with."""

from collections.abc import Sequence
from dataclasses import dataclass

from chatsphere.bots.model import Bot
from chatsphere.chat.turns import HISTORY_MESSAGES, PUBLIC, Question
from chatsphere.ports.answers import Turn


@dataclass(frozen=True, slots=True)
class Reach:
    """Where earlier messages may be looked for: before the history, and in other conversations of the end user."""

    conversation: bool = False
    end_user: bool = False


def reach_of(bot: Bot, question: Question, history: Sequence[Turn]) -> Reach:
    """Return where to look: nowhere, where the history holds all that was said, or the question brings its own."""
    settings = bot.configuration
    if not settings.memory or settings.recall == "off" or question.history is not None:
        return Reach()
    # Of a visitor nobody knows who it is.
    is_known = question.end_user_id is not None and question.channel != PUBLIC
    return Reach(len(history) >= HISTORY_MESSAGES, settings.recall == "end_user" and is_known)
