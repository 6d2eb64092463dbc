"""The job that erases everywhere, looks a second time, writes the receipt, and later looks once more.

Each step may be done again: a worker that dies leaves a lease that expires, and the reaper has the rest done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from chatsphere.db.database import Database
from chatsphere.errors import LegalHoldError
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.privacy import erasing_queries as queries
from chatsphere.privacy.model import ERASURE_LEASE, HELD_AGAIN, OF_A_TENANT, ErasureWork
from chatsphere.privacy.notes import ErasureNotes, Found
from chatsphere.queue_batches import NotNowError


class KindEraser(Protocol):
    """How erasures of some kinds are done."""

    def erase(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> dict[str, Any]:
        """Erase, look again, and return the receipt.

        Raises:
            LegalHoldError: something is held; what is done is kept.
            NotNowError: the time is up, or somebody has to be waited for; what is done is kept.
            UnavailableError: a store does not answer, or the second look found something; to be tried again.
        """
        ...

    def look_once_more(self, notes: ErasureNotes, work: ErasureWork) -> dict[str, Any]:
        """Erase what was written late; return what the receipt says of it.

        Raises:
            LegalHoldError, NotNowError, UnavailableError: as `erase`.
        """
        ...

    def paused(self, work: ErasureWork) -> None:
        """A legal hold stands against it: let go of what is only meant for the time of the erasure."""
        ...

    def recheck_after(self, work: ErasureWork) -> timedelta | None:
        """Return when to look once more, from the request on; None: never."""
        ...


@dataclass(frozen=True, slots=True)
class ErasureJob:
    """Works off erasures. `database` is the eraser's; `parts` erases parts of organizations, `wholes` all else."""

    database: Database
    wholes: KindEraser
    parts: KindEraser
    clock: Clock

    def run(self, message: ErasureMessage) -> None:
        """Finish an erasure, or look once more after one that is done; where neither is due, nothing happens.

        One that a legal hold stands against is left to the reaper, which has it tried again.

        Raises:
            NotNowError: somebody else is at it, or it takes longer.
            UnavailableError: a store does not answer, or the second look found something; to be tried again.
        """
        work = self._claim(message)
        if work is None:
            return
        notes = ErasureNotes(self.database, self.clock, work.id)
        try:
            self._go_on(notes, work)
        except LegalHoldError:
            self._of(work).paused(work)
            notes.pause(self.clock.now() + HELD_AGAIN, is_done=work.status == "done")
            logger.info("erasure held", erasure_id=str(work.id), kind=work.kind)
        except Exception:
            notes.hold_until(self.clock.now())
            raise

    def _go_on(self, notes: ErasureNotes, work: ErasureWork) -> None:
        kind = self._of(work)
        if work.status == "done":
            late = kind.look_once_more(notes, work)
            receipt = {**(work.receipt or {}), **late, "rechecked_at": self.clock.now().isoformat()}
            notes.finish(receipt, recheck_at=None)
            return
        retired = self._wait_for_partitions()
        receipt = kind.erase(notes, work, Found.of(work))
        if self._wait_for_partitions() != retired:
            raise NotNowError("a partition went into the archive meanwhile")
        notes.finish(receipt, recheck_at=self._recheck_at(kind, work))
        logger.info("erasure done", erasure_id=str(work.id), kind=work.kind)

    def _wait_for_partitions(self) -> int:
        """Rows that are on their way from a table into the archive are in neither, and no look finds them. Return how
        many partitions went by now.
        """
        with self.database.transaction(None) as connection:
            row = connection.execute(queries.PARTITIONS_LEAVING).fetchone()
        assert row is not None
        if row["leaving"]:
            raise NotNowError("a partition is on its way into the archive")
        return int(row["retired"])

    def _recheck_at(self, kind: KindEraser, work: ErasureWork) -> datetime | None:
        after = kind.recheck_after(work)
        if after is None:
            return None
        # An erasure that took long, or was held, has its last look as long after its end.
        return (self.clock.now() if work.kind in OF_A_TENANT else work.requested_at) + after

    def _of(self, work: ErasureWork) -> KindEraser:
        return self.parts if work.kind in OF_A_TENANT else self.wholes

    def _claim(self, message: ErasureMessage) -> ErasureWork | None:
        now = self.clock.now()
        values = {"id": message.erasure_id, "now": now, "lease_expires_at": now + ERASURE_LEASE}
        with self.database.transaction(None) as connection:
            row = connection.execute(queries.CLAIM, values).fetchone()
            held = row is None and connection.execute(queries.IS_HELD, values).fetchone() is not None
        if held:
            raise NotNowError("the erasure is under way")
        return ErasureWork(**row) if row else None
