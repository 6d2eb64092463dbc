"""Watching a bot's ingestion: its state, then each change of a document, until it is idle or the time is over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.history.changes import Changes, changes_since, is_ahead, present
from chatsphere.knowledge.history.cursor import Cursor
from chatsphere.knowledge.history.events import BecameIdle, DocumentChanged, StateTaken, TimeIsOver, WatchEvent
from chatsphere.knowledge.history.status import DocumentState, ingestion_status, under_way
from chatsphere.knowledge.history.stream_slots import stream_slot
from chatsphere.ports.system import Clock

POLL_SECONDS: Final = 1.0
STREAM_SECONDS: Final = 50.0
"""How long a stream lasts: a function does not learn that its client has left, and goes on until then."""

GRACE: Final = timedelta(seconds=15)
"""How much longer than its stream a slot is held at most."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose ingestion is watched, and how. `after`: where an earlier stream of it ended."""

    organization_id: UUID
    user_id: UUID | None
    bot_id: UUID
    until_idle: bool = False
    after: Cursor | None = None


@dataclass
class Watch:
    """One stream. Between two looks no transaction is open; `left` ends it, as soon as it is set."""

    database: Database
    clock: Clock
    holder: UUID
    watched: Watched
    timer: Callable[[], float] = monotonic
    poll_seconds: float = POLL_SECONDS
    stream_seconds: float = STREAM_SECONDS
    left: Event = field(default_factory=Event)
    _progress: dict[UUID, float | None] = field(default_factory=dict)

    def events(self) -> Iterator[WatchEvent]:
        """Yield what happens, as it happens.

        Raises:
            NotFoundError: the tenant has no such bot, or has none any more.
            TooManyStreamsError: the organization has as many open as it may.
            UnavailableError: the database does not answer.
        """
        life = timedelta(seconds=self.stream_seconds) + GRACE
        with stream_slot(self.database, self.watched.organization_id, self.holder, self.clock.now(), life):
            yield from self._events()

    def _events(self) -> Iterator[WatchEvent]:
        ends, idle = self.timer() + self.stream_seconds, False
        cursor = self._resumed()
        if cursor is None:
            state = self._state()
            yield state
            cursor = state.cursor
        while not self.left.is_set():
            changes, open_documents = self._look(cursor)
            for place, changed in changes.told:
                cursor = place
                yield DocumentChanged(place, changed)
            for progressed in self._progressed(open_documents, changes):
                yield DocumentChanged(cursor, progressed)
            was_idle, idle = idle, changes.complete and not open_documents
            if idle and not was_idle:
                yield BecameIdle(cursor, self._totals())
            if idle and self.watched.until_idle:
                return
            if self.timer() >= ends:
                yield TimeIsOver(cursor)
                return
            self.left.wait(0 if changes.more else self.poll_seconds)

    def _resumed(self) -> Cursor | None:
        """Return where to go on; None where what happened since then may be forgotten, or is unknown here."""
        after = self.watched.after
        if after is None or after.is_too_old(self.clock.now()):
            return None
        with self.database.transaction(self.watched.organization_id, self.watched.user_id) as connection:
            if is_ahead(connection, after):
                return None
            self._remember(under_way(connection, self.watched.bot_id))
        return after

    def _state(self) -> StateTaken:
        with self.database.transaction(self.watched.organization_id, self.watched.user_id) as connection:
            # First the place: what changes in between is told once more, and not missed.
            cursor = present(connection, self.clock.now())
            status = ingestion_status(connection, self.watched.bot_id)
        self._remember(status.under_way)
        return StateTaken(cursor, status)

    def _look(self, cursor: Cursor) -> tuple[Changes, Sequence[DocumentState]]:
        with self.database.transaction(self.watched.organization_id, self.watched.user_id) as connection:
            # In this order, a document that ends in between is told before the bot is found idle.
            open_documents = under_way(connection, self.watched.bot_id)
            return changes_since(connection, self.watched.bot_id, cursor, self.clock.now()), open_documents

    def _totals(self) -> Mapping[str, int]:
        with self.database.transaction(self.watched.organization_id, self.watched.user_id) as connection:
            return ingestion_status(connection, self.watched.bot_id).totals

    def _progressed(self, open_documents: Sequence[DocumentState], changes: Changes) -> list[DocumentState]:
        """Return the documents under way that are further than told last, and were not told of just now."""
        told = {state.id for _, state in changes.told}
        known = self._progress
        self._remember(open_documents)
        return [
            state
            for state in open_documents
            if state.id in known and state.id not in told and state.progress not in (None, known[state.id])
        ]

    def _remember(self, open_documents: Sequence[DocumentState]) -> None:
        self._progress = {state.id: state.progress for state in open_documents}
