"""Cases of an evaluation set: added, read, taken out. Each function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection
from chatsphere.errors import FieldError, InvalidRequestError, NotFoundError
from chatsphere.evaluation import queries
from chatsphere.evaluation.model import MAX_CASES, CaseDraft, EvaluationSetFullError, RelevantDocument
from chatsphere.evaluation.sets import get_set, hold_set
from chatsphere.ports.system import Ids

Case = Mapping[str, Any]
"""A case's row, without the conversation that it was copied from."""


def add_cases(
    connection: Connection, bot_id: UUID, set_id: UUID, drafts: Sequence[CaseDraft], *, ids: Ids, now: datetime
) -> list[Case]:
    """Add cases and return them; one whose message the set has a case of already is left out.

    Raises:
        NotFoundError: the bot has no such set.
        InvalidRequestError: a relevant document is not the bot's.
        EvaluationSetFullError: there would be more than `MAX_CASES`.
    """
    hold_set(connection, bot_id, set_id)
    _check_documents(connection, bot_id, drafts)
    added = [row for draft in drafts if (row := _insert(connection, set_id, draft, ids.new(), now)) is not None]
    counted = connection.execute(queries.COUNT_CASES, {"bot_id": bot_id, "set_id": set_id}).fetchone()
    if counted is not None and counted["cases"] > MAX_CASES:
        raise EvaluationSetFullError
    if added:
        # Not each case: the log cannot be cleared, and a case may hold what an end user said.
        note(connection, "evaluation_set.cases_added", "evaluation_set", set_id, after={"cases": len(added)})
    return added


def cases_page(
    connection: Connection, bot_id: UUID, set_id: UUID, *, needs_review: bool | None, after: UUID | None, limit: int
) -> list[Case]:
    """Return cases after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the bot has no such set.
    """
    get_set(connection, bot_id, set_id)
    values = {"bot_id": bot_id, "set_id": set_id, "needs_review": needs_review, "after": after, "limit": limit + 1}
    return list(connection.execute(queries.CASES_PAGE, values))


def replace_case(connection: Connection, bot_id: UUID, set_id: UUID, case_id: UUID, draft: CaseDraft) -> Case:
    """Say anew what a case asks and expects: nobody has to look at it any more.

    Raises:
        NotFoundError: the bot has no such set, or the set no such case.
        InvalidRequestError: a relevant document is not the bot's.
    """
    _check_documents(connection, bot_id, [draft])
    values = _content(draft) | {"bot_id": bot_id, "set_id": set_id, "case_id": case_id}
    row = connection.execute(queries.REPLACE_CASE, values).fetchone()
    if row is None:
        raise _no_case()
    note(connection, "evaluation_set.case_replaced", "evaluation_set", set_id)
    return row


def delete_case(connection: Connection, bot_id: UUID, set_id: UUID, case_id: UUID) -> None:
    """Take a case out of its set.

    Raises:
        NotFoundError: the bot has no such set, or the set no such case.
    """
    values = {"bot_id": bot_id, "set_id": set_id, "case_id": case_id}
    if connection.execute(queries.DELETE_CASE, values).rowcount == 0:
        raise _no_case()
    note(connection, "evaluation_set.case_deleted", "evaluation_set", set_id)


def _check_documents(connection: Connection, bot_id: UUID, drafts: Sequence[CaseDraft]) -> None:
    named = {
        relevant.document_id: number
        for number, draft in enumerate(drafts)
        if draft.source == "manual"
        for relevant in draft.relevant_documents
        if relevant.document_id is not None
    }
    if not named:
        return
    values = {"bot_id": bot_id, "documents": list(named)}
    known = {row["id"] for row in connection.execute(queries.DOCUMENTS_OF_BOT, values)}
    problems = tuple(
        FieldError(f"body/cases/{number}/relevant_documents", "unknown_document", "The bot has no such document.")
        for document, number in named.items()
        if document not in known
    )
    if problems:
        raise InvalidRequestError("See `errors` for the fields that are not valid.", problems)


def _insert(connection: Connection, set_id: UUID, draft: CaseDraft, case_id: UUID, now: datetime) -> Case | None:
    values = _content(draft) | {
        "id": case_id,
        "set_id": set_id,
        "needs_review": draft.needs_review,
        "source": draft.source,
        "conversation_id": draft.conversation_id,
        "message_id": draft.message_id,
        "now": now,
    }
    return connection.execute(queries.INSERT_CASE, values).fetchone()


def _content(draft: CaseDraft) -> dict[str, Any]:
    return {
        "question": draft.question,
        "history": Jsonb([{"role": role, "content": content} for role, content in draft.history]),
        "expected_answers": Jsonb(list(draft.expected_answers)),
        "relevant_documents": Jsonb([_stored(relevant) for relevant in draft.relevant_documents]),
        "expect_refusal": draft.expect_refusal,
    }


def _stored(relevant: RelevantDocument) -> dict[str, str | None]:
    document_id = None if relevant.document_id is None else str(relevant.document_id)
    return {"document_id": document_id, "document_name": relevant.document_name, "quote": relevant.quote}


def _no_case() -> NotFoundError:
    return NotFoundError("There is no such case.")
