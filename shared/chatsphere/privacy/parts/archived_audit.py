"""Taking what tells of a part from archived entries of the audit log, as is done in the table.

An entry is archived with its partition, in files of no bot. Whose it is stands in the entry alone, but for what it is
about: files that tell of a document are found by its id, of all others each is read.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.model import Row
from chatsphere.db.database import Database
from chatsphere.privacy.model import BOT, DOCUMENT, Part
from chatsphere.privacy.parts.archived_files import RowsInFiles, archived_files

ERASED: Final = "[erased]"

Values = Mapping[str, Any] | None
"""What an entry says was before, or after."""


@dataclass(frozen=True, slots=True)
class _Retold:
    """The `Change` of entries: what they say was before and after becomes what `retold` makes of it."""

    retold: Callable[[Row, Values], Values]

    def concerns(self, dataset: DatasetName, row: Row) -> bool:
        """See `Change.concerns`."""
        return self.applied(dataset, row) != row

    def applied(self, dataset: DatasetName, row: Row) -> Row | None:  # noqa: ARG002 - the port's
        """See `Change.applied`."""
        return {**row, **{side: self._side(row, side) for side in ("before", "after")}}

    def _side(self, row: Row, side: str) -> str | None:
        said = _read(row[side])
        told = self.retold(row, said)
        # Its own text where nothing is taken from it: numbers of any size stay as they are.
        return row[side] if told == said else json.dumps(told, ensure_ascii=False)


def archived_entries(database: Database, archives: ArchiveEraser) -> RowsInFiles:
    """Return the `Place` of archived entries of the audit log. They stay, without what was the part's."""
    log = DatasetName.AUDIT_LOG
    return RowsInFiles(
        archives,
        "archived_audit_log",
        is_kept=True,
        change_of=_change_of,
        affected=lambda part, after: archived_files(
            database, part.organization_id, log, bot_id=None, about=part.document_id, after=after
        ),
        unfinished=lambda part: archives.unfinished(part.organization_id, dataset=log),
    )


def _change_of(part: Part) -> _Retold:
    """Return what is done with an entry: of a document or a bot only the bot's id is told, of an end user nothing."""
    if part.kind == DOCUMENT:
        document = str(part.document_id)
        return _Retold(lambda row, said: _bot_alone(said) if _is_about(row, "document", document) else said)
    if part.kind == BOT:
        bot = str(part.bot_id)
        return _Retold(lambda row, said: _bot_named(said, bot) if _tells_of_bot(row, bot) else said)
    return _Retold(lambda _, said: _nameless(said, part.end_user_id))


def _is_about(row: Row, object_type: str, object_id: str) -> bool:
    return bool(row["object_type"] == object_type and row["object_id"] == object_id)


def _tells_of_bot(row: Row, bot: str) -> bool:
    said = (_read(row["before"]) or {}, _read(row["after"]) or {})
    return row["object_id"] == bot or any(values.get("bot_id") == bot for values in said)


def _bot_alone(said: Values) -> Values:
    return None if said is None else {key: value for key, value in said.items() if key == "bot_id"}


def _bot_named(said: Values, bot: str) -> Values:
    return said if said is None or not said.keys() - {"bot_id"} else {"bot_id": bot}


def _nameless(said: Values, end_user_id: str | None) -> Values:
    return None if said is None else {key: ERASED if value == end_user_id else value for key, value in said.items()}


def _read(text: str | None) -> Values:
    return None if text is None else json.loads(text)
