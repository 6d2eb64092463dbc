"""What is done at once: some of a run's items, of one kind, bot and action."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from chatsphere.archive.model import ArchiveBatch, ArchiveFile
from chatsphere.db.database import Connection
from chatsphere.retention.due import Due, due_of
from chatsphere.retention.policies import Policies
from chatsphere.retention.removing import MOMENT
from chatsphere.retention.runs import Row, Run

ROWS: Final = 4_000
"""Rows that one transaction deletes, or those of one conversation where that has more."""

ITEMS: Final = 1_000


class ChangedError(Exception):
    """What was to be deleted was held, or used, or is to be kept by another policy since: what was done is undone."""


class Archive(Protocol):
    """What moves rows into the archive: see `chatsphere.archive.archiving.Archiver`."""

    def move(
        self,
        batch: ArchiveBatch,
        *,
        run_id: UUID,
        part: int,
        delete: Callable[[Connection], object],
        archive_days: int | None = None,
    ) -> list[ArchiveFile]:
        """Write rows, and have them deleted in the transaction in which the files begin to count."""
        ...

    def discard_unfinished(self, organization_id: UUID, run_id: UUID | None = None) -> int:
        """Delete what tries that failed left in the bucket."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done at once: a batch of items of one kind, bot and action."""

    kind: str
    bot_id: UUID
    action: str
    due: Due
    items: Sequence[Row]

    @property
    def positions(self) -> list[int]:
        """Of its items."""
        return [item["position"] for item in self.items]


def work_of(items: Sequence[Row], policies: Policies, run: Run) -> Work:
    """Return as many of the items, all of one kind, as one transaction takes."""
    taken, rows = 0, 0
    for item in items:
        rows += item["messages"] + 1
        if taken and rows > ROWS:
            break
        taken += 1
    first = items[0]
    due = due_of(policies.of(first["bot_id"]), first["reason"], run.as_of)
    return Work(first["kind"], first["bot_id"], first["action"], due, items[:taken])


def bounds_of(work: Work) -> dict[str, Any]:
    """Return the times of the messages that the items are about: no others were listed."""
    first, last = (min(item["oldest_at"] for item in work.items), max(item["newest_at"] for item in work.items))
    return {"since": first, "until": last + MOMENT}
