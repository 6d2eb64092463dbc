"""Answers to OpenAI's clients that are kept: read again, and gone on with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.chat.events import AnswerDone, AnswerStarted, Citation, Usage
from chatsphere.chat.openai import queries
from chatsphere.chat.openai.told import Told
from chatsphere.chat.turns import HISTORY_MESSAGES
from chatsphere.db.database import Connection
from chatsphere.db.uuid_time import kept_between
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.ports.answers import Turn

PREFIX: Final = "resp_"
PREVIOUS: Final = "previous_response_id"
"""The key under which a question's metadata names the response that it goes on from."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A kept answer. `metadata` is the question's; `model` the bot's name as a model now."""

    told: Told
    bot_id: UUID
    model: str
    end_user_id: str | None
    metadata: Mapping[str, Any]
    begun: datetime

    @property
    def conversation_id(self) -> UUID:
        """The conversation that holds it."""
        return self.told.started.conversation_id


def stored_answer(connection: Connection, message_id: UUID, bot_id: UUID | None = None) -> StoredAnswer:
    """Return a kept answer; who may see its bot may see it. `bot_id`: only if it is this bot's.

    Raises:
        NotFoundError: there is no such answer, or it was given on another route.
    """
    row = connection.execute(queries.RESPONSE, {"message_id": message_id, **kept_between(message_id)}).fetchone()
    if row is None or bot_id not in (None, row["bot_id"]):
        raise NotFoundError("There is no such response.")
    return StoredAnswer(
        told=_told(row),
        bot_id=row["bot_id"],
        model=row["model"],
        end_user_id=row["end_user_id"],
        metadata=row["asked_with"] or {},
        begun=row["begun"],
    )


def history_until(connection: Connection, answer: StoredAnswer) -> Sequence[Turn]:
    """Return what was last said until the answer, with it, the oldest first."""
    message_id = answer.told.started.message_id
    values = {
        "conversation_id": answer.conversation_id,
        "message_id": message_id,
        "begun": answer.begun,
        "until": kept_between(message_id)["until"],
        "limit": HISTORY_MESSAGES,
    }
    rows = connection.execute(queries.SAID_UNTIL, values).fetchall()
    return [Turn(row["role"], row["content"]) for row in reversed(rows)]


def message_id_of(response_id: str) -> UUID:
    """Return the message that a response's id names; an id that cannot be one is taken as one that nobody has."""
    try:
        return UUID(response_id.removeprefix(PREFIX))
    except ValueError:
        return UUID(int=0)


def _told(row: Mapping[str, Any]) -> Told:
    started = AnswerStarted(row["conversation_id"], row["id"], row["bot_id"], row["model"])
    found = Told(started, row["content"], [_citation(each) for each in row["citations"]])
    if row["finish_reason"] in ("error", "interrupted"):
        found.error = UnavailableError("The answer is not complete.")
        return found
    found.done = AnswerDone(
        message_id=row["id"],
        finish_reason=row["finish_reason"],
        answerable=bool(row["answerable"]),
        reason=row["reason"],
        confidence=row["metadata"].get("confidence", 0.0),
        usage=Usage(row["prompt_tokens"] or 0, row["completion_tokens"] or 0, row["cost_microdollars"] or 0),
        latency_ms=row["latency_ms"] or {"total": 0},
    )
    return found


def _citation(kept: Mapping[str, Any]) -> Citation:
    ids = {"document_id": UUID(kept["document_id"]), "chunk_id": UUID(kept["chunk_id"])}
    return Citation(**{**kept, **ids})
