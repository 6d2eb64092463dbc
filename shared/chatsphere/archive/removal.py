"""What of which row goes when conversations, an end user or a user are erased."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from chatsphere.archive.datasets import DATASETS, DatasetName
from chatsphere.archive.model import Row

OF_CONVERSATIONS: Final = (DatasetName.CONVERSATIONS, DatasetName.MESSAGES, DatasetName.FEEDBACK)
OF_USERS: Final = (DatasetName.USAGE_EVENTS, DatasetName.AUDIT_LOG)

ORIGIN: Final[Mapping[str, Any]] = {"address": None, "user_agent": None}


class Change(Protocol):
    """What is to become of rows."""

    def concerns(self, dataset: DatasetName, row: Row) -> bool:
        """Whether a row is changed, or goes."""
        ...

    def applied(self, dataset: DatasetName, row: Row) -> Row | None:
        """Return what of a row stays; None: nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Removal:
    """Ids as they stand in files."""

    conversations: frozenset[str]
    end_user: str | None
    user: str | None

    @classmethod
    def of(cls, conversation_ids: Collection[UUID], end_user_id: str | None, user_id: UUID | None) -> "Removal":
        """Return what these ids name."""
        return cls(frozenset(map(str, conversation_ids)), end_user_id, None if user_id is None else str(user_id))

    @property
    def is_everything(self) -> bool:
        """Whether nothing in particular is named."""
        return not self.conversations and self.end_user is None and self.user is None

    @property
    def subjects(self) -> frozenset[str]:
        """By what such rows are found."""
        return self.conversations | {name for name in (self.end_user, self.user) if name is not None}

    @property
    def datasets(self) -> Sequence[DatasetName]:
        """Where such rows may be."""
        talks = OF_CONVERSATIONS if self.conversations or self.end_user is not None else ()
        usage = () if self.end_user is None or self.user is not None else (DatasetName.USAGE_EVENTS,)
        return [*talks, *usage, *(OF_USERS if self.user is not None else ())]

    def concerns(self, dataset: DatasetName, row: Row) -> bool:
        """Whether anything of a row has to go."""
        return self.applied(dataset, row) != row

    def applied(self, dataset: DatasetName, row: Row) -> Row | None:
        """Return what of a row stays; None: nothing. As in the database, what was used stays counted, and a user's
        rows stay the organization's: without the name, and without where the user was.
        """
        if dataset in OF_CONVERSATIONS:
            return None if self._is_of_conversation(dataset, row) else row
        if dataset is DatasetName.USAGE_EVENTS:
            return self._without_names(row)
        if dataset is DatasetName.AUDIT_LOG and self.user is not None:
            return self._without_origin(row)
        return row

    def _is_of_conversation(self, dataset: DatasetName, row: Row) -> bool:
        own = "id" if dataset is DatasetName.CONVERSATIONS else "conversation_id"
        names = [row[column] for column in DATASETS[dataset].subjects if column != own]
        return row[own] in self.conversations or (self.end_user is not None and self.end_user in names)

    def _without_names(self, row: Row) -> Row:
        if self.user is not None and row["user_id"] == self.user:
            row = {**row, "user_id": None}
        if self.end_user is not None and row["end_user_id"] == self.end_user:
            row = {**row, "end_user_id": None, "conversation_id": None}
        return row

    def _without_origin(self, row: Row) -> Row:
        if row["actor_user_id"] == self.user:
            of_key = row["object_type"] == "api_key"
            named = {column: _without_name(row[column]) for column in ("before", "after")} if of_key else {}
            return {**row, **ORIGIN, **named}
        if row["actor_user_id"] is None and row["object_type"] == "user" and row["object_id"] == self.user:
            return {**row, **ORIGIN}
        return row


def _without_name(text: str | None) -> str | None:
    value = None if text is None else json.loads(text)
    if not isinstance(value, dict) or "name" not in value:
        return text
    del value["name"]
    return json.dumps(value, ensure_ascii=False)
