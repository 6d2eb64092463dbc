"""Taking the text from answers that rest on a document: they repeat its sentences.

All conversations of the bot are looked at, some at a time; how far it is is remembered, so that a bot with very many is
through in the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import LegalHoldError
from chatsphere.knowledge.ingestion.memory_removal import memory_namespaces
from chatsphere.ports.message_vectors import MessageVectors
from chatsphere.ports.system import Clock
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts import document_queries as queries
from chatsphere.privacy.parts.holding import refuse_part_if_held
from chatsphere.privacy.parts.stores import Steps
from chatsphere.queue_batches import NotNowError

STEP: Final = 200
"""Conversations looked at in one transaction."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RestingAnswers:
    """The `Place` of messages that rest on a document: the rows stay, with a note instead of their text. Memory embeds
    the note in place of the text, as after every change of a message; the text's vectors are deleted here.
    """

    database: Database
    vectors: MessageVectors
    clock: Clock
    name: str = "messages"
    is_kept: bool = True

    def count(self, part: Part, steps: Steps) -> int:
        """See `Place.count`."""
        return self._through(part, steps, "count", self._count_some)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`.

        Raises:
            LegalHoldError: a conversation in which the document is quoted is held.
            NotNowError: answers that were begun before are still being written.
        """
        self._await_writers(part)
        self._through(part, steps, "rewritten", self._rewrite_some)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`: an answer may rest on one that was rewritten only after it was looked at."""
        found = self._through(part, steps, "left", self._count_some)
        for name in ("rewritten", "left"):
            # The next try looks at all of them once more.
            steps.keep(name, {})
        return found

    def _await_writers(self, part: Part) -> None:
        with self.database.transaction(part.organization_id) as connection:
            row = connection.execute(queries.UNDER_WAY, part.values | {"now": self.clock.now()}).fetchone()
        if row is not None and row["rows"]:
            raise NotNowError("answers that may quote the document are being written")

    def _through(self, part: Part, steps: Steps, name: str, some: Callable[[Part, Any], Row]) -> int:
        """Go through all conversations; return how many messages were met, also by tries that were cut short."""
        state = {"after": None, "rows": 0, "done": False} | dict(steps.bookmark(name))
        while not state["done"]:
            steps.go_on()
            row = some(part, state["after"])
            is_last = row["looked_at"] < STEP
            state = {
                "after": None if row["last"] is None else str(row["last"]),
                "rows": state["rows"] + row["rows"],
                "done": is_last,
            }
            steps.keep(name, state)
        return int(state["rows"])

    def _count_some(self, part: Part, after: str | None) -> Row:
        with self.database.transaction(part.organization_id) as connection:
            return self._asked(connection, queries.COUNT_RESTING, part, after)

    def _rewrite_some(self, part: Part, after: str | None) -> Row:
        with self.database.transaction(part.organization_id) as connection:
            refuse_part_if_held(connection, part)
            row = self._asked(connection, queries.REWRITE_RESTING, part, after)
            if row["held"]:
                raise LegalHoldError("A conversation in which the document is quoted is held.")
        # Were the function killed here: memory replaces the vectors by the note's.
        self._forget_vectors(part, row["written"] or {})
        return {**row, "rows": sum(map(len, (row["written"] or {}).values()))}

    def _forget_vectors(self, part: Part, written: Mapping[str, list[str]]) -> None:
        if not written or part.bot_id is None:
            return
        with self.database.transaction(part.organization_id) as connection:
            places = memory_namespaces(connection, part.organization_id, part.bot_id)
        for place in places:
            for conversation_id, messages in written.items():
                self.vectors.delete_conversation(place, UUID(conversation_id), [UUID(each) for each in messages])

    def _asked(self, connection: Connection, query: str, part: Part, after: str | None) -> Row:
        row = connection.execute(query, part.values | {"after": after, "limit": STEP}).fetchone()
        assert row is not None
        return row
