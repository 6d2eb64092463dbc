"""Taking the text from archived answers that rest on a document, as `rewriting` does in the database.

Nothing in the manifest tells which files quote a document: all messages of the bot are read. What was learned of them,
ids only, is remembered, so that a bot with more files than one try can read is through in the end.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.archive.removal import Change
from chatsphere.db.database import Database
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.archived_files import archived_files, begin_anew, through
from chatsphere.privacy.parts.stores import Steps

LEARNED: Final = "archived answers learned"
LEARNED_AGAIN: Final = "archived answers learned again"
REWRITTEN: Final = "archived answers rewritten"
LEFT: Final = "archived answers left"


@dataclass(frozen=True, slots=True)
class _Quoting:
    """The `Change` of archived messages: from the first one that rests on the document, answers hold a note.

    `first` is that message by conversation; ids are in the order of time. `erased` are the messages that were, or will
    be, rewritten.
    """

    document_id: str
    first: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

    @property
    def known(self) -> dict[str, Any]:
        """Return what was learned, as JSON."""
        return {"first": self.first, "erased": sorted(self.erased)}

    def learn(self, row: Row) -> bool:
        """Take note of an answer; return whether something new was learned from it."""
        if row["role"] != "assistant":
            return False
        place, known = row["conversation_id"], len(self.erased)
        if self._rests(row) and row["id"] < self.first.get(place, "~"):
            self.first[place] = row["id"]
        if row["id"] >= self.first.get(place, "~"):
            self.erased.add(row["id"])
        return len(self.erased) > known

    def concerns(self, dataset: DatasetName, row: Row) -> bool:
        """See `Change.concerns`."""
        return (
            dataset is DatasetName.MESSAGES
            and row["role"] == "assistant"
            and row["id"] >= self.first.get(row["conversation_id"], "~")
            and "erased" not in _loaded(row["metadata"], {})
        )

    def applied(self, dataset: DatasetName, row: Row) -> Row | None:
        """See `Change.applied`."""
        if not self.concerns(dataset, row):
            return row
        note = json.dumps({"erased": self.document_id})
        return {**row, "content": "[erased]", "citations": "[]", "sources": "[]", "metadata": note}

    def _rests(self, row: Row) -> bool:
        metadata = _loaded(row["metadata"], {})
        named = [*_loaded(row["citations"], []), *_loaded(row["sources"], [])]
        return (
            metadata.get("erased") == self.document_id
            or any(each.get("document_id") == self.document_id for each in named)
            or not self.erased.isdisjoint(metadata.get("recalled_messages", ()))
        )


@dataclass(frozen=True, slots=True)
class ArchivedAnswers:
    """The `Place` of archived messages that rest on a document. The rows stay."""

    database: Database
    archives: ArchiveEraser
    name: str = "archived_messages"
    is_kept: bool = True

    def count(self, part: Part, steps: Steps) -> int:
        """See `Place.count`."""
        return self._through(part, steps, LEARNED, "archived answers", self.archives.matching)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        self.archives.tidy(part.organization_id)
        self._through(part, steps, LEARNED, REWRITTEN, self.archives.rewrite)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        found = self._through(part, steps, LEARNED_AGAIN, LEFT, self.archives.matching)
        begin_anew(steps, LEARNED, REWRITTEN, LEARNED_AGAIN, LEFT)
        return found + self.archives.unfinished(part.organization_id, bot_id=part.bot_id, dataset=DatasetName.MESSAGES)

    def _through(
        self, part: Part, steps: Steps, learned: str, name: str, use: Callable[[ArchiveFile, Change], int]
    ) -> int:
        quoting = self._quoting(part, steps, learned)
        if not quoting.first:
            return 0
        return through(partial(self._files, part), steps, name, lambda file: use(file, quoting))

    def _quoting(self, part: Part, steps: Steps, name: str) -> _Quoting:
        """Read all messages of the bot until nothing new is learned of which rest on the document."""
        state: dict[str, Any] = {"after": None, "learned": False, "done": False} | dict(steps.bookmark(name))
        quoting = _Quoting(str(part.document_id), dict(state.get("first", {})), set(state.get("erased", ())))
        while not state["done"]:
            for file in self._files(part, UUID(state["after"]) if state["after"] else None):
                steps.go_on()
                learned = any(self.archives.read(file, quoting.learn)) or state["learned"]
                state = {"after": str(file.id), "learned": learned, "done": False}
                steps.keep(name, state | quoting.known)
            state = {"after": None, "learned": False, "done": not state["learned"]}
            steps.keep(name, state | quoting.known)
        return quoting

    def _files(self, part: Part, after: UUID | None) -> Iterator[ArchiveFile]:
        messages = DatasetName.MESSAGES
        return archived_files(self.database, part.organization_id, messages, bot_id=part.bot_id, after=after)


def _loaded(text: str | None, otherwise: Any) -> Any:
    return otherwise if text is None else json.loads(text)
