"""A turn as rows: question, answer, what was used and what went wrong; and back."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.chat.draft import Draft
from chatsphere.chat.events import Citation, Source
from chatsphere.chat.titles import title_of
from chatsphere.chat.turns import AskedTurn
from chatsphere.chat.unanswered.noting import fingerprint

Row = dict[str, Any]


def conversation_row(turn: AskedTurn, now: datetime) -> Row:
    """Return the conversation's row; what only a new one needs is in it in any case."""
    question = turn.question
    return {
        "conversation_id": turn.conversation_id,
        "bot_id": question.bot_id,
        "end_user_id": question.end_user_id,
        "title": title_of(question.message),
        "channel": question.channel,
        "metadata": Jsonb(dict(question.metadata)),
        "created_at": turn.asked_at,
        "updated_at": now,
    }


def question_row(turn: AskedTurn) -> Row:
    """Return the question's message."""
    return _keys(turn) | {
        "id": turn.question_id,
        "content": turn.question.message,
        "metadata": Jsonb(dict(turn.question.metadata)),
        "created_at": turn.asked_at,
    }


def answer_row(turn: AskedTurn, draft: Draft, latency_ms: Mapping[str, int], now: datetime) -> Row:
    """Return the answer's message."""
    metadata: Row = {"confidence": draft.confidence}
    if draft.dropped_citations:
        metadata["dropped_citations"] = draft.dropped_citations
    if draft.question_asked != turn.question.message:
        metadata["standalone_question"] = draft.question_asked
    if draft.recalled:
        metadata["recalled_messages"] = [str(message_id) for message_id in draft.recalled]
    if draft.client_left:
        metadata["client_left"] = True
    if draft.cache is not None and draft.cache.saved is not None:
        metadata |= {"cached": True, "saved": asdict(draft.cache.saved), "cached_from": str(draft.cache.original)}
    return (
        _keys(turn)
        | asdict(draft.usage)
        | {
            "id": turn.answer_id,
            "content": draft.text,
            "answerable": draft.answerable,
            "reason": draft.reason,
            "finish_reason": draft.finish_reason,
            "citations": Jsonb([citation_json(citation) for citation in draft.citations]),
            "sources": Jsonb([source_json(source) for source in draft.sources]),
            "model": turn.model,
            "latency_ms": Jsonb(dict(latency_ms)) if latency_ms else None,
            "metadata": Jsonb(metadata),
            "created_at": now,
        }
    )


def usage_row(turn: AskedTurn, draft: Draft, latency_ms: Mapping[str, int], event_id: UUID, now: datetime) -> Row:
    """Return the usage event."""
    return (
        _keys(turn)
        | asdict(draft.usage)
        | {stage: latency_ms.get(stage) for stage in ("total", "first_token", "retrieve")}
        | {
            "id": event_id,
            "api_key_id": turn.question.api_key_id,
            "user_id": turn.question.user_id,
            "end_user_id": turn.question.end_user_id,
            "model": turn.model,
            "channel": turn.question.channel,
            "answerable": draft.answerable,
            "reason": draft.reason,
            "finish_reason": draft.finish_reason,
            "cached": draft.cached,
            "citations": len(draft.citations),
            "dropped_citations": draft.dropped_citations,
            "created_at": now,
        }
    )


def unanswered_row(turn: AskedTurn, draft: Draft, question_id: UUID, now: datetime) -> Row:
    """Return the question as one that had no answer, as `chatsphere.chat.unanswered.noting.NOTE` takes it."""
    return _keys(turn) | {
        "id": question_id,
        "fingerprint": fingerprint(draft.question_asked),
        "message_id": turn.question_id,
        "answer_id": turn.answer_id,
        "reason": draft.reason,
        "confidence": draft.confidence,
        "asked_at": turn.asked_at,
        "answered_at": now,
    }


def source_counts(draft: Draft, now: datetime) -> Row:
    """Return how often each document was given to the model, and cited."""
    cited = Counter(citation.document_id for citation in draft.citations)
    documents = list(dict.fromkeys(source.document_id for source in draft.sources))
    return {"documents": documents, "citations": [cited[document] for document in documents], "now": now}


def error_row(turn: AskedTurn, draft: Draft, error_id: UUID, now: datetime) -> Row:
    """Return the log's entry of an answer that failed."""
    assert draft.error is not None
    return _keys(turn) | {
        "id": error_id,
        "error_type": draft.error.code,
        "message": draft.error.detail,
        "details": Jsonb({"message_id": str(turn.answer_id), "conversation_id": str(turn.conversation_id)}),
        "created_at": now,
    }


def citation_json(citation: Citation) -> Row:
    """Return the citation as it is stored."""
    return asdict(citation) | {"document_id": str(citation.document_id), "chunk_id": str(citation.chunk_id)}


def source_json(source: Source) -> Row:
    """Return the source without its text: that stays with the document, and goes with it."""
    chunks = [str(chunk) for chunk in source.chunk_ids]
    row = asdict(source) | {"document_id": str(source.document_id), "chunk_ids": chunks}
    del row["content"]
    return row


def citation_of(stored: Mapping[str, Any]) -> Citation:
    """Return a stored citation."""
    ids = {"document_id": UUID(stored["document_id"]), "chunk_id": UUID(stored["chunk_id"])}
    return Citation(**{**stored, **ids})


def source_of(stored: Mapping[str, Any], content: str = "") -> Source:
    """Return a stored source, with its text where the document still has it."""
    chunks = tuple(UUID(chunk) for chunk in stored.get("chunk_ids", ()))
    return Source(**{**stored, "document_id": UUID(stored["document_id"]), "content": content, "chunk_ids": chunks})


def _keys(turn: AskedTurn) -> Row:
    question = turn.question
    return {
        "organization_id": question.organization_id,
        "bot_id": question.bot_id,
        "conversation_id": turn.conversation_id,
    }
