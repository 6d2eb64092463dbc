"""What of a part is in the archive bucket: archived rows, and files that were made of bots."""

from dataclasses import dataclass

from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.removal import Removal
from chatsphere.ports.objects import ObjectStore
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.archived_files import RowsInFiles
from chatsphere.privacy.parts.stores import Steps
from chatsphere.transfers.places import prefixes_of


def archived_rows(archives: ArchiveEraser) -> RowsInFiles:
    """Return the `Place` of an end user's archived rows."""
    return RowsInFiles(
        archives,
        "archived_rows",
        is_kept=False,
        change_of=_removal,
        affected=lambda part, after: archives.affected(
            part.organization_id, _removal(part), bot_id=part.bot_id, after=after
        ),
        unfinished=lambda part: archives.unfinished(part.organization_id, bot_id=part.bot_id),
    )


def _removal(part: Part) -> Removal:
    return Removal.of((), part.end_user_id, None)


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
        return sum(map(self.store.count_versions, prefixes_of(part.organization_id, part.bot_id)))

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        for prefix in prefixes_of(part.organization_id, part.bot_id):
            steps.go_on()
            self.store.delete_prefix(prefix)

    def left(self, part: Part, steps: Steps) -> int:
        """See `Place.left`."""
        return self.count(part, steps)
