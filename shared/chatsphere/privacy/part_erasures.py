"""Erasures of parts of organizations, as the job runs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.times import ERASE_TIME
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.privacy.erasing_steps import ErasureSteps
from chatsphere.privacy.model import BACKUPS, BOT, LATE_WRITES_END, UPLOADS_END, ErasureWork, Part
from chatsphere.privacy.notes import ErasureNotes, Found
from chatsphere.privacy.part_erasing import PartEraser

SCOPE: Final = "part"

LOGS: Final = (
    "No log holds a text, a title, a file name or an end user's id. The API's access log in the cloud names no end "
    "user; its lines expire by their retention, 30 days unless the deployment chose otherwise."
)


@dataclass(frozen=True, slots=True)
class PartErasures:
    """The `KindEraser` of end users, documents and bots."""

    eraser: PartEraser
    clock: Clock

    def erase(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> dict[str, Any]:
        """See `KindEraser.erase`."""
        part = Part.of(work, self._since(notes, work, found))
        self.eraser.keep_out(part, work.id, is_done=False)
        steps = self._steps(notes, part, found)
        steps.go_on()

        def note(place: str, number: int) -> None:
            found.merge(SCOPE, {place: number})
            notes.keep(found)

        self.eraser.erase(part, steps, note)
        left = self.eraser.look_again(part, steps)
        if any(left.values()):
            logger.warning("erasure not complete yet", erasure_id=str(work.id), left=_counted(left))
            raise UnavailableError("Something is left.")
        self.eraser.keep_out(part, work.id, is_done=True)
        return self._receipt(part, found.counts[SCOPE], left)

    def look_once_more(self, notes: ErasureNotes, work: ErasureWork) -> dict[str, Any]:
        """See `KindEraser.look_once_more`."""
        part, found = Part.of(work, work.finished_at or work.requested_at), Found.of(work)
        late = self.eraser.erase_late(part, self._steps(notes, part, found))
        if late and any(self.eraser.look_again(part, self._steps(notes, part, found)).values()):
            raise UnavailableError("Something is left.")
        self.eraser.let_in(part, work.id)
        if late:
            logger.warning("found after an erasure", erasure_id=str(work.id), late=_counted(late))
        return {"late": late}

    def paused(self, work: ErasureWork) -> None:
        """See `KindEraser.paused`: who is not erased for now may ask."""
        if work.status != "done":
            self.eraser.let_in(Part.of(work, work.requested_at), work.id)

    def recheck_after(self, work: ErasureWork) -> timedelta | None:
        """See `KindEraser.recheck_after`."""
        return UPLOADS_END if work.kind == BOT else LATE_WRITES_END

    def _since(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> datetime:
        """Return since when nothing more was written for the subject: since the request, or the end of a hold."""
        if found.content.pop("was_held", False):
            found.content["since"] = self.clock.now().isoformat()
            # What was looked at before the hold may have changed.
            found.content.pop("bookmarks", None)
            notes.keep(found)
        since = found.content.get("since")
        return datetime.fromisoformat(since) if since else work.requested_at

    def _steps(self, notes: ErasureNotes, part: Part, found: Found) -> ErasureSteps:
        return ErasureSteps(
            keep_lease=notes.keep_lease,
            refuse_if_held=lambda: self.eraser.refuse_if_held(part),
            save=lambda: notes.keep(found),
            found=found.content,
            clock=self.clock,
            ends_at=self.clock.now() + ERASE_TIME,
        )

    def _receipt(self, part: Part, counts: Mapping[str, int], left: Mapping[str, int]) -> dict[str, Any]:
        kept = self.eraser.kept(part)
        removed = {store: number for store, number in counts.items() if store not in kept}
        removed |= self.eraser.removed_by_deletion(part)
        anonymized = {store: number for store, number in counts.items() if store in kept}
        return {
            "removed": _counted(removed),
            "anonymized": _counted(anonymized),
            "left": dict(sorted({**dict.fromkeys((*removed, *anonymized), 0), **left}.items())),
            "checked_at": self.clock.now().isoformat(),
            "logs": LOGS,
            "backups": BACKUPS,
        }


def _counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {store: number for store, number in sorted(counts.items()) if number}
