"""Going through archived files, of which there may be more than one try can read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.archive.datasets import DatasetName
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.manifest_queries import FILE_COLUMNS
from chatsphere.archive.model import ArchiveFile, subject
from chatsphere.archive.places import file_of
from chatsphere.archive.removal import Change
from chatsphere.db.database import Database
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.stores import Steps

PAGE: Final = 100

# Only a constant is put in; every value is a parameter.
FILES: Final = f"""
    SELECT {FILE_COLUMNS} FROM archive_files
    WHERE organization_id = app.current_organization() AND status = 'complete' AND dataset = %(dataset)s
      AND bot_id IS NOT DISTINCT FROM %(bot_id)s
      AND (%(subject)s::integer IS NULL OR subjects && ARRAY[%(subject)s::integer])
      AND (%(after)s::uuid IS NULL OR id > %(after)s)
    ORDER BY id LIMIT %(limit)s
"""  # noqa: S608
"""Files of a dataset that count; with a subject, those that may hold rows of it."""


def archived_files(
    database: Database,
    organization_id: UUID,
    dataset: DatasetName,
    *,
    bot_id: UUID | None,
    about: UUID | None = None,
    after: UUID | None = None,
) -> Iterator[ArchiveFile]:
    """Yield the files of a dataset that count, of this bot or (None) of no bot, in the order of their ids; `about`:
    those that may name this id; `after`: those behind this one.

    No transaction is open between two of them.
    """
    values: dict[str, Any] = {
        "dataset": dataset.value,
        "bot_id": bot_id,
        "subject": None if about is None else subject(str(about)),
        "after": after,
        "limit": PAGE,
    }
    while True:
        with database.transaction(organization_id) as connection:
            rows = connection.execute(FILES, values).fetchall()
        yield from map(file_of, rows)
        if len(rows) < PAGE:
            return
        values["after"] = rows[-1]["id"]


def through(
    files: Callable[[UUID | None], Iterable[ArchiveFile]], steps: Steps, name: str, use: Callable[[ArchiveFile], int]
) -> int:
    """Go through files once, and return the sum of what `use` returns, also in tries that were cut short: how far it is
    is remembered under this name. `files` yields those behind one of them, in the order of their ids.

    Raises:
        LegalHoldError, NotNowError: as `Steps.go_on`.
        UnavailableError: the store does not answer.
    """
    state: dict[str, Any] = {"after": None, "number": 0, "done": False} | dict(steps.bookmark(name))
    if state["done"]:
        return int(state["number"])
    for file in files(UUID(state["after"]) if state["after"] else None):
        steps.go_on()
        state = {"after": str(file.id), "number": state["number"] + use(file), "done": False}
        steps.keep(name, state)
    steps.keep(name, state | {"done": True})
    return int(state["number"])


def begin_anew(steps: Steps, *names: str) -> None:
    """Have all files gone through once more."""
    for name in names:
        steps.keep(name, {})


@dataclass(frozen=True, slots=True)
class RowsInFiles:
    """A `Place` of rows in archived files, which are written anew without what is the part's.

    `affected` yields the files that may hold such rows, behind one of them, in the order of their ids; `unfinished`
    counts places that may hold versions of them that the manifest does not show.
    """

    archives: ArchiveEraser
    name: str
    is_kept: bool
    change_of: Callable[[Part], Change]
    affected: Callable[[Part, UUID | None], Iterable[ArchiveFile]]
    unfinished: Callable[[Part], int]

    def count(self, part: Part, steps: Steps) -> int:
        """See `Place.count`."""
        return self._through(part, steps, self.name, self.archives.matching)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        self.archives.tidy(part.organization_id)
        self._through(part, steps, f"{self.name} rewritten", self.archives.rewrite)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        found = self._through(part, steps, f"{self.name} left", self.archives.matching)
        begin_anew(steps, f"{self.name} rewritten", f"{self.name} left")
        return found + self.unfinished(part)

    def _through(self, part: Part, steps: Steps, name: str, use: Callable[[ArchiveFile, Change], int]) -> int:
        change = self.change_of(part)
        return through(lambda after: self.affected(part, after), steps, name, lambda file: use(file, change))
