"""What of a part is in the archive bucket: archived rows, and files that were made of bots."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.model import ArchiveFile
from chatsphere.archive.removal import Removal
from chatsphere.ports.objects import ObjectStore
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.archived_files import begin_anew, through
from chatsphere.privacy.parts.stores import Steps

REWRITTEN: Final = "archived rows rewritten"
LEFT: Final = "archived rows left"


@dataclass(frozen=True, slots=True)
class ArchivedRows:
    """The `Place` of an end user's archived rows. There may be more files with some than one try can read."""

    archives: ArchiveEraser
    name: str = "archived_rows"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:
        """See `Place.count`."""
        return self._through(part, steps, "archived rows", self.archives.matching)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        self.archives.tidy(part.organization_id)
        self._through(part, steps, REWRITTEN, self.archives.rewrite)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        found = self._through(part, steps, LEFT, self.archives.matching)
        begin_anew(steps, REWRITTEN, LEFT)
        return found + self.archives.unfinished(part.organization_id, bot_id=part.bot_id)

    def _through(self, part: Part, steps: Steps, name: str, use: Callable[[ArchiveFile, Removal], int]) -> int:
        removal = Removal.of((), part.end_user_id, None)

        def files(after: UUID | None) -> Iterator[ArchiveFile]:
            return self.archives.affected(part.organization_id, removal, bot_id=part.bot_id, after=after)

        return through(files, steps, name, lambda file: use(file, removal))


@dataclass(frozen=True, slots=True)
class ArchivedFiles:
    """The `Place` of all archived files of a bot."""

    archives: ArchiveEraser
    name: str = "archived_rows"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        return self.archives.count(part.organization_id, bot_id=part.bot_id)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        steps.go_on()
        self.archives.erase(part.organization_id, bot_id=part.bot_id)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """The `Place` of files that hold a bot, or that a bot was made of: documents, and cases that were copied from
    conversations. Nobody looks into them; those that were made before go as a whole, and can be made again.
    """

    store: ObjectStore
    name: str = "exported_files"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        return sum(self.store.count_versions(prefix) for prefix in _prefixes(part))

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        for prefix in _prefixes(part):
            steps.go_on()
            self.store.delete_prefix(prefix)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)


def _prefixes(part: Part) -> list[str]:
    """Return where such files are. What was brought in is told apart by no bot."""
    exported = f"exports/{part.organization_id}/"
    return [exported if part.bot_id is None else f"{exported}{part.bot_id}/", f"imports/{part.organization_id}/"]
