"""What people say, without the personal data that a bot is to mask."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from chatsphere.chat.turns import Question
from chatsphere.knowledge.redaction.masking import Mask, nothing_masked
from chatsphere.ports.answers import Turn

BETWEEN: Final = "\n" * 32
"""Further than a finder looks for what stands around."""


def question_masked(question: Question, mask: Mask) -> Question:
    """Return the question with its message, its history and what a program lays down masked."""
    if mask is nothing_masked:
        return question
    history = None if question.history is None else turns_masked(question.history, mask)
    wishes = replace(question.wishes, system=mask(question.wishes.system))
    return replace(question, message=mask(question.message), history=history, wishes=wishes)


def turns_masked(turns: Sequence[Turn], mask: Mask) -> Sequence[Turn]:
    """Return the turns with what was said masked."""
    if mask is nothing_masked:
        return turns
    # As one text: a finder takes the more time the longer a text is, and some for each.
    whole, at, found = mask(BETWEEN.join(turn.content for turn in turns)), 0, []
    for turn in turns:
        found.append(replace(turn, content=whole[at : at + len(turn.content)]))
        at += len(turn.content) + len(BETWEEN)
    return found
