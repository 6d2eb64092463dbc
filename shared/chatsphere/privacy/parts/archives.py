"""What of a part is in the archive bucket: archived rows, and files that were made of bots."""

from dataclasses import dataclass

from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.ports.objects import ObjectStore
from chatsphere.privacy.model import Part
from chatsphere.privacy.parts.stores import Steps


@dataclass(frozen=True, slots=True)
class ArchivedRows:
    """The `Place` of archived rows of an end user, or of a bot with all its files."""

    archives: ArchiveEraser
    name: str = "archived_rows"
    is_kept: bool = False

    def count(self, part: Part, steps: Steps) -> int:  # noqa: ARG002 - the port's
        """See `Place.count`."""
        return self.archives.count(part.organization_id, bot_id=part.bot_id, end_user_id=part.end_user_id)

    def erase(self, part: Part, steps: Steps) -> None:
        """See `Place.erase`."""
        steps.go_on()
        self.archives.erase(part.organization_id, bot_id=part.bot_id, end_user_id=part.end_user_id)

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
