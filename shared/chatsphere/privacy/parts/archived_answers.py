"""Taking the text from archived answers that rest on a document, as `rewriting` does in the database.

Nothing in the manifest tells which files quote a document: all messages of the bot are read.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.manifest_queries import FILE_COLUMNS
from chatsphere.archive.model import ArchiveFile, Row
from chatsphere.archive.places import file_of
from chatsphere.db.database import Database
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.stores import Steps

PAGE: Final = 100

# Only a constant is put in; every value is a parameter.
FILES: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete' AND bot_id = %(bot_id)s
      AND dataset = 'messages' AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class _Quoting:
    """The `Change` of archived messages: from the first one that rests on the document, answers hold a note.

    `first` is that message by conversation; ids are in the order of time. `erased` are the messages that were, or will
    be, rewritten.
    """

    document_id: str
    first: dict[str, str] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)

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
        quoting = self._quoting(part, steps)
        return sum(self.archives.matching(file, quoting) for file in self._files(part)) if quoting.first else 0

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        quoting = self._quoting(part, steps)
        for file in self._files(part) if quoting.first else ():
            steps.go_on()
            self.archives.rewrite(file, quoting)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)

    def _quoting(self, part: Part, steps: Steps) -> _Quoting:
        """Read all messages of the bot until nothing new is learned of which rest on the document."""
        quoting, learned = _Quoting(str(part.document_id)), True
        while learned:
            learned = False
            for file in self._files(part):
                steps.go_on()
                learned = any(self.archives.read(file, quoting.learn)) or learned
        return quoting

    def _files(self, part: Part) -> Iterator[ArchiveFile]:
        after: Any = None
        while True:
            values = part.values | {"after": after, "limit": PAGE}
            with self.database.transaction(part.organization_id) as connection:
                rows = connection.execute(FILES, values).fetchall()
            yield from map(file_of, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1]["id"]


def _loaded(text: str | None, otherwise: Any) -> Any:
    return otherwise if text is None else json.loads(text)
