"""What the archive speaks of: batches of rows, places, files."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.datasets import Dataset, DatasetName

Row = Mapping[str, Any]
"""A row of a dataset by column: UUIDs and JSON as text, times in UTC, None for NULL."""

ROOT: Final = "archive/v1"

FILE_ROWS: Final = 50_000
"""No file holds more rows."""

FILE_BYTES: Final = 64 * 1024 * 1024
"""Nor is a file begun anew before its rows have this many characters of text, or much more than that in it."""

SMALL_ROWS: Final = 10_000
"""New rows are put to a file with fewer rows: of a bot, dataset and month few files are smaller."""

SMALL_BYTES: Final = 8 * 1024 * 1024

MERGE_WINDOW: Final = timedelta(days=31)
"""For so long after it was begun rows are put to a file: it leaves the archive as a whole."""

WRITE_LEASE: Final = timedelta(minutes=15)
"""Longer than any function runs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows of a month go: one writer at a time."""

    organization_id: UUID
    bot_id: UUID | None
    dataset: DatasetName
    month: date
    """Its first day."""

    @property
    def prefix(self) -> str:
        """Of the keys of its files."""
        return f"{bot_prefix(self.dataset, self.organization_id, self.bot_id)}month={self.month:%Y-%m}/"


@dataclass(frozen=True, slots=True)
class ArchiveBatch:
    """Which rows of one bot are to be moved, by their primary keys. `since` (inclusive) and `until` (exclusive) bound
    the messages' `created_at`. At most some thousand rows: they are read in one transaction.

    With a conversation, all that hangs on it may be deleted: it counts as changed as soon as it has another number of
    messages or of feedback than when it was read. `idle_since`: what was found out of the conversations holds for those
    that were not used since; where one was, `ConversationUsedError` is raised.
    """

    organization_id: UUID
    bot_id: UUID
    since: datetime
    until: datetime
    conversations: Sequence[UUID] = ()
    messages: Sequence[UUID] = ()
    feedback: Sequence[UUID] = ()
    idle_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file as the manifest has it: `version_id` is the version that counts. `bytes` and `sha256` are of the
    object, `rows` all in it, `added` those that the call that returned it put there; `former_version_id` is the version
    that counted until then.
    """

    id: UUID
    organization_id: UUID
    bot_id: UUID | None
    dataset: DatasetName
    month: date
    key: str
    version_id: str
    status: str
    schema_version: int
    rows: int
    bytes: int
    sha256: str
    first_created_at: datetime
    last_created_at: datetime
    archived_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None
    restored_at: datetime | None = None
    run_id: UUID | None = None
    sources: Sequence[str] = ()
    subjects: frozenset[int] = field(default=frozenset(), repr=False)
    added: int = 0
    former_version_id: str | None = None

    @property
    def place(self) -> Place:
        """Where it is."""
        return Place(self.organization_id, self.bot_id, self.dataset, self.month)

    def takes_more(self, now: datetime) -> bool:
        """Whether more rows are put to it."""
        return self.rows < SMALL_ROWS and self.bytes < SMALL_BYTES and now - self.archived_at < MERGE_WINDOW


def organization_prefix(dataset: DatasetName, organization_id: UUID) -> str:
    """Return what the keys of an organization's files begin with."""
    return f"{ROOT}/{dataset}/organization_id={organization_id}/"


def bot_prefix(dataset: DatasetName, organization_id: UUID, bot_id: UUID | None) -> str:
    """Return what the keys of a bot's files begin with; None: of what is of no bot."""
    return f"{organization_prefix(dataset, organization_id)}bot_id={bot_id or 'none'}/"


def month_of(row: Row) -> date:
    """Return the first day of the month that a row is of."""
    moment: datetime = row["created_at"].astimezone(UTC)
    return date(moment.year, moment.month, 1)


def subject(text: str) -> int:
    """Return the 32-bit hash by which a conversation, end user or user is looked for."""
    return zlib.crc32(text.encode()) - 2**31


def subjects_of(dataset: Dataset, row: Row) -> Iterable[int]:
    """Yield the subjects of a row."""
    for column in dataset.subjects:
        if row.get(column) is not None:
            yield subject(row[column])
