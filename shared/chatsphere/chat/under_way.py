"""Answers that are being written, as other execution environments see them.

The row is the right to keep the answer: who deletes it keeps it, and nobody else.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.chat import under_way_queries as queries
from chatsphere.chat.draft import Draft
from chatsphere.chat.events import Usage
from chatsphere.chat.message_rows import citation_json, citation_of, source_json, source_of
from chatsphere.chat.turns import AskedTurn, Question
from chatsphere.db.database import Connection

WRITTEN_WITHIN: Final = timedelta(seconds=150)
"""Longer than the function that answers may run (two minutes): a row that is older has nobody who writes it."""


def begin(connection: Connection, asked: AskedTurn) -> None:
    """Note that the answer is being written; in the transaction that sets aside what it may cost."""
    question = asked.question
    turn = {
        "question_id": str(asked.question_id),
        "is_new": asked.is_new,
        "model": asked.model,
        "message": question.message,
        "metadata": dict(question.metadata),
        "end_user_id": question.end_user_id,
        "channel": question.channel,
        "api_key_id": str(question.api_key_id) if question.api_key_id else None,
    }
    connection.execute(
        queries.BEGIN,
        {
            "message_id": asked.answer_id,
            "bot_id": question.bot_id,
            "conversation_id": asked.conversation_id,
            "user_id": question.user_id,
            "turn": Jsonb(turn),
            "asked_at": asked.asked_at,
            "expires_at": asked.asked_at + WRITTEN_WITHIN,
        },
    )


def asked_turn(row: Mapping[str, Any]) -> AskedTurn:
    """Return the turn that a row of `TAKE_EXPIRED` is about."""
    turn = row["turn"]
    question = Question(
        organization_id=row["organization_id"],
        user_id=row["user_id"],
        bot_id=row["bot_id"],
        message=turn["message"],
        api_key_id=UUID(turn["api_key_id"]) if turn["api_key_id"] else None,
        conversation_id=None if turn["is_new"] else row["conversation_id"],
        end_user_id=turn["end_user_id"],
        metadata=turn["metadata"],
        channel=turn["channel"],
    )
    return AskedTurn(
        question=question,
        conversation_id=row["conversation_id"],
        is_new=turn["is_new"],
        question_id=UUID(turn["question_id"]),
        answer_id=row["message_id"],
        asked_at=row["asked_at"],
        model=turn["model"],
    )


def progress_of(draft: Draft, usage: Usage, latency_ms: Mapping[str, int]) -> Jsonb:
    """Return what there is of an answer, and about what it used so far. Threads may go on filling the draft."""
    # First the citations: what they are about is then in the text.
    citations = [citation_json(citation) for citation in list(draft.citations)]
    return Jsonb(
        {
            "citations": citations,
            "text": draft.text,
            "sources": [source_json(source) for source in draft.sources],
            "confidence": draft.confidence,
            "question_asked": draft.question_asked,
            "usage": asdict(usage),
            "latency_ms": dict(latency_ms),
        }
    )


def draft_of(progress: Mapping[str, Any], asked: AskedTurn) -> Draft:
    """Return what was noted last of an answer; nothing may have been noted yet."""
    return Draft(
        text=progress.get("text", ""),
        citations=[citation_of(citation) for citation in progress.get("citations", ())],
        sources=tuple(source_of(source) for source in progress.get("sources", ())),
        confidence=progress.get("confidence", 0.0),
        question_asked=progress.get("question_asked", asked.question.message),
        usage=Usage(**progress.get("usage", {})),
    )


def stop_requested(connection: Connection, message_id: UUID) -> bool:
    """Return whether the answer is to be stopped; so it is where nobody may keep it any more."""
    row = connection.execute(queries.LOOK, {"message_id": message_id}).fetchone()
    return row is None or row["stop_requested_at"] is not None


def checkpoint(connection: Connection, message_id: UUID, progress: Jsonb) -> bool:
    """Keep what there is of the answer; return as `stop_requested`."""
    row = connection.execute(queries.CHECKPOINT, {"message_id": message_id, "progress": progress}).fetchone()
    return row is None or row["stop_requested_at"] is not None


def give_up(connection: Connection, message_id: UUID, progress: Jsonb, now: datetime) -> None:
    """Leave the answer, as far as it is written, to whoever looks next."""
    connection.execute(queries.GIVE_UP, {"message_id": message_id, "progress": progress, "now": now})
