"""Evaluation sets and their cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from chatsphere.errors import ConflictError

MAX_SETS: Final = 50
"""Evaluation sets of one bot."""

MAX_CASES: Final = 1000
"""Cases of one set."""

Source = Literal["manual", "feedback"]


class TooManyEvaluationSetsError(ConflictError):
    """The bot has as many evaluation sets as a bot may have."""

    code = "too_many_evaluation_sets"
    title = f"A bot has at most {MAX_SETS} evaluation sets"


class EvaluationSetFullError(ConflictError):
    """The set holds as many cases as a set may hold; none of the request's was added."""

    code = "evaluation_set_full"
    title = f"A set holds at most {MAX_CASES} cases"


class EvaluationSetNameTakenError(ConflictError):
    """Another set of the bot has the name."""

    code = "evaluation_set_name_taken"
    title = "Another set of the bot has this name"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """A bot's set and how many cases it holds."""

    id: UUID
    bot_id: UUID
    name: str
    description: str
    case_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RelevantDocument:
    """A document that holds the answer, by its id, its name or both, and the words that do."""

    document_id: UUID | None = None
    document_name: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """What a case is made from. The answer is right if it contains any of `expected_answers`.

    `history` holds role and content of the messages before the question, the oldest first. `expect_refusal`: the
    documents hold no answer. `needs_review`: what is right, somebody has to say first. `conversation_id` and
    `message_id`: the rated answer that the case was copied from.
    """

    question: str
    history: Sequence[tuple[str, str]] = ()
    expected_answers: Sequence[str] = ()
    relevant_documents: Sequence[RelevantDocument] = ()
    expect_refusal: bool = False
    needs_review: bool = False
    conversation_id: UUID | None = None
    message_id: UUID | None = None

    @property
    def source(self) -> Source:
        """Who said what is expected."""
        return "manual" if self.message_id is None else "feedback"
