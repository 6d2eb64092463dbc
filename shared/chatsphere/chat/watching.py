"""Looking after an answer while the model writes: has somebody stopped it, and how far has it come."""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self

from psycopg.types.json import Jsonb

from chatsphere.chat import under_way
from chatsphere.chat.draft import Draft
from chatsphere.chat.turns import AskedTurn
from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.failures import public_error


@dataclass(frozen=True, slots=True)
class WatchPace:
    """How often, in seconds, a watch looks whether its answer is stopped, and notes how far it has come."""

    look_seconds: float = 1.0
    checkpoint_seconds: float = 2.0


class AnswerWatch:
    """A thread beside the model's call, for as long as the block runs. What it sees stopped, it cancels.

    `progress` returns what is noted of the answer. Each look is a short transaction; an answer that is written within
    the first `look_seconds` sees none.
    """

    def __init__(
        self, turn: AskedTurn, draft: Draft, progress: Callable[[], Jsonb], database: Database, pace: WatchPace
    ) -> None:
        self._turn = turn
        self._draft = draft
        self._progress = progress
        self._database = database
        self._pace = pace
        self._ended = Event()
        self._noted = (-1, -1)
        self._note_at = monotonic() + pace.checkpoint_seconds
        # The transactions say from where the request came, and the log which one it was.
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="answer-watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watch: nothing of it goes on when the answer is kept."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._pace.look_seconds):
            try:
                stop = self._look()
            except UnavailableError:
                # The answer goes on; the next look may find the database again.
                continue
            except Exception as error:
                public_error(error)
                continue
            if stop:
                self._draft.cancellation.cancel()
                return

    def _look(self) -> bool:
        """Return whether the answer is to be stopped, having noted how far it is where that is due."""
        question, message_id = self._turn.question, self._turn.answer_id
        written = (len(self._draft.text), len(self._draft.citations))
        if monotonic() < self._note_at or written == self._noted:
            with self._database.transaction(question.organization_id) as connection:
                return under_way.stop_requested(connection, message_id)
        progress = self._progress()
        with self._database.transaction(question.organization_id) as connection:
            stop = under_way.checkpoint(connection, message_id, progress)
        self._noted, self._note_at = written, monotonic() + self._pace.checkpoint_seconds
        return stop
