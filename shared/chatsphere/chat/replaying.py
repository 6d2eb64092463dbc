"""An answer told once more: what is kept of it, and while it is still being written, what has been noted so far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any, Final
from uuid import UUID

from chatsphere.chat import under_way_queries as queries
from chatsphere.chat.events import (
    AnswerDone,
    AnswerFailed,
    AnswerStarted,
    ChatEvent,
    Citation,
    Source,
    SourcesFound,
    Usage,
)
from chatsphere.chat.interrupted import settle_interrupted
from chatsphere.chat.keeping import AnswerInterruptedError
from chatsphere.chat.message_rows import citation_of
from chatsphere.chat.positions import Position
from chatsphere.chat.retelling import retold
from chatsphere.chat.stored_answers import Row, stored_answer, with_text
from chatsphere.db.database import Connection, Database
from chatsphere.errors import (
    AnswerBlockedError,
    ChatSphereError,
    EmptyAnswerError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.ports.system import Clock, Ids

LOOK_SECONDS: Final = 0.5
FOLLOW_SECONDS: Final = 50.0
"""How long an answer is followed: a function does not learn that its client has left, and goes on until then."""

_FAILURES: Final[dict[str, type[ChatSphereError]]] = {
    error.code: error
    for error in (
        AnswerInterruptedError,
        AnswerBlockedError,
        EmptyAnswerError,
        ProviderOverloadedError,
        ProviderRejectedError,
        UnavailableError,
    )
}


@dataclass(frozen=True, slots=True)
class Told:
    """What there is of an answer at one moment. `sources` is None before they are known, `end` while it is written."""

    start: AnswerStarted
    sources: tuple[Source, ...] | None
    text: str
    citations: list[Citation]
    end: AnswerDone | AnswerFailed | None = None

    def since(self, position: Position) -> Iterator[ChatEvent]:
        """Yield what somebody at this position has not heard yet."""
        if position.ended:
            return
        if not position.started:
            yield self.start
        if self.sources is None and self.end is None:
            return
        if not position.sourced:
            yield SourcesFound(self.sources or ())
        yield from retold(self.text, self.citations, chars=position.chars, cited=position.citations)
        if self.end is not None:
            yield self.end


@dataclass
class Replay:
    """One stream of an answer. Between two looks no transaction is open; `left` ends it, as soon as it is set."""

    database: Database
    clock: Clock
    ids: Ids
    organization_id: UUID
    user_id: UUID | None
    message_id: UUID
    after: Position = field(default_factory=Position)
    timer: Callable[[], float] = monotonic
    look_seconds: float = LOOK_SECONDS
    follow_seconds: float = FOLLOW_SECONDS
    left: Event = field(default_factory=Event)

    def events(self) -> Iterator[ChatEvent]:
        """Look, and return what was not heard yet, and then what is written. It may stop before the answer's end.

        Raises:
            NotFoundError: there is no such answer. While it is followed: none any more.
            UnavailableError: the database does not answer.
        """
        return self._events(self._look())

    def _events(self, told: Told) -> Iterator[ChatEvent]:
        ends, position = self.timer() + self.follow_seconds, self.after
        while True:
            for event in told.since(position):
                position = position.after(event)
                yield event
            if told.end is not None or self.timer() >= ends or self.left.wait(self.look_seconds):
                return
            told = self._look()

    def _look(self) -> Told:
        with self.database.transaction(self.organization_id, self.user_id) as connection:
            settle_interrupted(connection, self.message_id, now=self.clock.now(), ids=self.ids)
            # In this order: an answer that is not under way any more is kept.
            under_way = connection.execute(queries.FIND, {"message_id": self.message_id}).fetchone()
            if under_way is not None:
                return _so_far(connection, under_way)
            return _kept(connection, stored_answer(connection, self.message_id))


def _so_far(connection: Connection, row: Row) -> Told:
    progress = row["progress"]
    sources = with_text(connection, row["bot_id"], progress["sources"]) if progress else None
    citations = [citation_of(citation) for citation in progress.get("citations", ())]
    return Told(_start(row, row["message_id"], row["turn"]["model"]), sources, progress.get("text", ""), citations)


def _kept(connection: Connection, row: Row) -> Told:
    sources = with_text(connection, row["bot_id"], row["sources"])
    citations = [citation_of(citation) for citation in row["citations"]]
    return Told(_start(row, row["id"], row["model"]), sources, row["content"], citations, _end(row))


def _start(row: Row, message_id: UUID, model: str) -> AnswerStarted:
    return AnswerStarted(row["conversation_id"], message_id, row["bot_id"], model)


def _end(row: Row) -> AnswerDone | AnswerFailed:
    if row["finish_reason"] in ("error", "interrupted"):
        return AnswerFailed(_FAILURES.get(row["reason"], ChatSphereError)())
    return AnswerDone(
        message_id=row["id"],
        finish_reason=row["finish_reason"],
        answerable=row["answerable"],
        reason=row["reason"],
        confidence=row["metadata"].get("confidence", 0.0),
        usage=_usage(row),
        latency_ms=row["latency_ms"],
        cached=row["metadata"].get("cached", False),
    )


def _usage(row: dict[str, Any] | Row) -> Usage:
    return Usage(row["prompt_tokens"], row["completion_tokens"], row["cost_microdollars"], row["embedding_tokens"])
