"""Stages of answering that a deployment, or a bot, may do without."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chatsphere.chat.draft import Draft
from chatsphere.chat.events import Usage
from chatsphere.chat.turns import AskedTurn, OpenTurn
from chatsphere.ports.answers import Turn


class AnswerCache(Protocol):
    """Answers that are given again. It raises nothing: without it, the question is simply answered."""

    def look_up(self, turn: OpenTurn, draft: Draft) -> bool:
        """Fill the draft with an answer to its `question_asked` that holds for this turn; return whether there is one.

        Filled are text, sources, citations, answerable, reason, confidence and finish reason.
        """
        ...

    def store(self, turn: OpenTurn, draft: Draft) -> None:
        """Keep the answer, whose turn is kept, for those who ask the same; where it may be given again."""
        ...


@dataclass(frozen=True, slots=True)
class Recalled:
    """Messages from before the history that a question comes with, their ids in the same order, and what that took."""

    turns: Sequence[Turn] = ()
    messages: Sequence[UUID] = ()
    usage: Usage = field(default_factory=Usage)


class Recall(Protocol):
    """What was said before the history that a question comes with. It raises nothing: an answer does without it."""

    def recall(self, turn: OpenTurn) -> Recalled:
        """Return earlier messages that help to understand and to answer the question, the nearest first."""
        ...

    def remember(self, turn: AskedTurn) -> None:
        """Have what was said in a turn that is kept remembered, in the background."""
        ...
