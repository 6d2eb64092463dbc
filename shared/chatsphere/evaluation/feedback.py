"""Rated answers as cases: what people liked is expected again, what they did not like somebody has to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.turns import HISTORY_MESSAGES
from chatsphere.db.database import Connection
from chatsphere.evaluation import feedback_queries as queries
from chatsphere.evaluation.cases import add_cases
from chatsphere.evaluation.model import CaseDraft, RelevantDocument
from chatsphere.evaluation.sets import hold_set
from chatsphere.ports.system import Ids

GOOD: Final = 4
"""A mean rating, of 1 to 5, from which on an answer is taken for right."""

BAD: Final = 2
"""A mean rating up to which it is taken for wrong. What lies between says too little."""

BATCH: Final = 100
"""Answers that one request turns into cases."""

MAX_EXPECTED_CHARS: Final = 2000


@dataclass(frozen=True, slots=True)
class FeedbackImport:
    """What became of rated answers. `known`: the set had a case of them before. `more`: there are others."""

    added: int
    needs_review: int
    known: int
    more: bool


def import_feedback(connection: Connection, bot_id: UUID, set_id: UUID, *, ids: Ids, now: datetime) -> FeedbackImport:
    """Add a case for each rated answer that the set has none of, up to `BATCH`. Doing it again adds nothing.

    Raises:
        NotFoundError: the bot has no such set.
        EvaluationSetFullError: the set would hold too many cases; none is added.
    """
    hold_set(connection, bot_id, set_id)
    values = {"bot_id": bot_id, "set_id": set_id, "good": GOOD, "bad": BAD, "limit": BATCH + 1}
    counted = connection.execute(queries.COUNT_KNOWN, values).fetchone()
    rated = connection.execute(queries.NEXT, values).fetchall()
    drafts = [_draft(connection, row) for row in rated[:BATCH]]
    added = add_cases(connection, bot_id, set_id, drafts, ids=ids, now=now)
    return FeedbackImport(
        added=len(added),
        needs_review=sum(case["needs_review"] for case in added),
        known=counted["known"] if counted else 0,
        more=len(rated) > BATCH,
    )


def _draft(connection: Connection, row: Mapping[str, Any]) -> CaseDraft:
    right = row["rating"] >= GOOD
    refused = row["answerable"] is False
    expected = row["answer"].strip()
    return CaseDraft(
        question=row["question"],
        history=_history(connection, row),
        expected_answers=[expected] if right and not refused and 0 < len(expected) <= MAX_EXPECTED_CHARS else (),
        relevant_documents=_relevant(row["citations"]) if right and not refused else (),
        expect_refusal=right and refused,
        needs_review=not right,
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
    )


def _history(connection: Connection, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = connection.execute(queries.HISTORY, {**row, "limit": HISTORY_MESSAGES}).fetchall()
    return [(message["role"], message["content"]) for message in reversed(found)]


def _relevant(citations: Sequence[Mapping[str, Any]]) -> list[RelevantDocument]:
    """Return each cited document once, with the first of its quotes."""
    found: dict[str, RelevantDocument] = {}
    for citation in citations:
        document = citation["document_id"]
        found.setdefault(document, RelevantDocument(UUID(document), citation["document_name"], citation["quote"]))
    return list(found.values())
