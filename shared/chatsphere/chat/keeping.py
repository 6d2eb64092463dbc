"""Keeping a turn: question, answer, usage and source statistics, all or nothing."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.billing.budgets import Spending, settle
from chatsphere.chat import queries
from chatsphere.chat.draft import Draft
from chatsphere.chat.events import Citation, Source
from chatsphere.chat.services import Services
from chatsphere.chat.turns import OpenTurn
from chatsphere.db.database import Connection
from chatsphere.errors import ChatSphereError, NotFoundError

TITLE_CHARS: Final = 80


def keep_turn(turn: OpenTurn, draft: Draft, latency_ms: Mapping[str, int], services: Services) -> None:
    """Write the turn in one transaction.

    Raises:
        NotFoundError: the bot or the conversation was deleted during the answer.
    """
    now, ids, model = services.clock.now(), services.ids, services.model.model
    question = turn.question
    with services.database.transaction(question.organization_id, question.user_id) as connection:
        _hold_conversation(connection, turn, now)
        with connection.pipeline():
            connection.execute(queries.ADD_QUESTION, _question_row(turn))
            connection.execute(queries.ADD_ANSWER, _answer_row(turn, draft, latency_ms, model, now))
            connection.execute(queries.ADD_USAGE, _usage_row(turn, draft, model, ids.new(), now))
            if draft.sources:
                connection.execute(queries.COUNT_SOURCES, _source_counts(draft, now))
            if draft.error is not None:
                connection.execute(queries.ADD_ERROR, _error_row(turn, draft, ids.new(), now))
            _settle(connection, turn, draft)


def settle_lost_turn(turn: OpenTurn, draft: Draft, services: Services) -> None:
    """Count what a turn used that could not be kept: it was paid for all the same.

    Should this fail, too, then what was set aside stays so until it expires.
    """
    question = turn.question
    with suppress(ChatSphereError), services.database.transaction(question.organization_id) as connection:
        _settle(connection, turn, draft)


def _settle(connection: Connection, turn: OpenTurn, draft: Draft) -> None:
    """Count the answer against quota and budgets. One that failed is no answer, and what it used is used."""
    usage = draft.usage
    used = Spending(usage.prompt_tokens + usage.completion_tokens, usage.cost_microdollars)
    settle(connection, turn.answer_id, used, messages=0 if draft.error else 1)


def _hold_conversation(connection: Connection, turn: OpenTurn, now: datetime) -> None:
    question = turn.question
    if turn.is_new:
        statement = queries.ADD_CONVERSATION
        title = " ".join(question.message.split())
        values: dict[str, Any] = {
            "end_user_id": question.end_user_id,
            "title": title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1].rstrip() + "…",
            "channel": question.channel,
            "metadata": Jsonb(dict(question.metadata)),
            "created_at": turn.asked_at,
        }
    else:
        statement, values = queries.TOUCH_CONVERSATION, {}
    values |= {"conversation_id": turn.conversation_id, "bot_id": question.bot_id, "updated_at": now}
    if connection.execute(statement, values).rowcount == 0:
        raise NotFoundError("The conversation or its bot was deleted.")


def _keys(turn: OpenTurn) -> dict[str, Any]:
    question = turn.question
    return {
        "organization_id": question.organization_id,
        "bot_id": question.bot_id,
        "conversation_id": turn.conversation_id,
    }


def _question_row(turn: OpenTurn) -> dict[str, Any]:
    return _keys(turn) | {
        "id": turn.question_id,
        "content": turn.question.message,
        "metadata": Jsonb(dict(turn.question.metadata)),
        "created_at": turn.asked_at,
    }


def _answer_row(
    turn: OpenTurn, draft: Draft, latency_ms: Mapping[str, int], model: str, now: datetime
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"confidence": draft.confidence}
    if draft.dropped_citations:
        metadata["dropped_citations"] = draft.dropped_citations
    if draft.question_asked != turn.question.message:
        metadata["standalone_question"] = draft.question_asked
    return (
        _keys(turn)
        | asdict(draft.usage)
        | {
            "id": turn.answer_id,
            "content": draft.text,
            "answerable": draft.answerable,
            "reason": draft.reason,
            "finish_reason": draft.finish_reason,
            "citations": Jsonb([_citation_json(citation) for citation in draft.citations]),
            "sources": Jsonb([_source_json(source) for source in draft.sources]),
            "model": model,
            "latency_ms": Jsonb(dict(latency_ms)),
            "metadata": Jsonb(metadata),
            "created_at": now,
        }
    )


def _citation_json(citation: Citation) -> dict[str, Any]:
    return asdict(citation) | {"document_id": str(citation.document_id), "chunk_id": str(citation.chunk_id)}


def _source_json(source: Source) -> dict[str, Any]:
    """Return the source without its text: that stays with the document, and goes with it."""
    row = asdict(source) | {"document_id": str(source.document_id)}
    del row["content"]
    return row


def _usage_row(turn: OpenTurn, draft: Draft, model: str, event_id: UUID, now: datetime) -> dict[str, Any]:
    return (
        _keys(turn)
        | asdict(draft.usage)
        | {
            "id": event_id,
            "api_key_id": turn.question.api_key_id,
            "user_id": turn.question.user_id,
            "metadata": Jsonb(
                {
                    "model": model,
                    "answerable": draft.answerable,
                    "reason": draft.reason,
                    "channel": turn.question.channel,
                }
            ),
            "created_at": now,
        }
    )


def _source_counts(draft: Draft, now: datetime) -> dict[str, Any]:
    cited = Counter(citation.document_id for citation in draft.citations)
    documents = list(dict.fromkeys(source.document_id for source in draft.sources))
    return {"documents": documents, "citations": [cited[document] for document in documents], "now": now}


def _error_row(turn: OpenTurn, draft: Draft, error_id: UUID, now: datetime) -> dict[str, Any]:
    assert draft.error is not None
    return _keys(turn) | {
        "id": error_id,
        "error_type": draft.error.code,
        "message": draft.error.detail,
        "details": Jsonb({"message_id": str(turn.answer_id), "conversation_id": str(turn.conversation_id)}),
        "created_at": now,
    }
