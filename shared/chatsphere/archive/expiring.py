"""The end of archives: files whose time is over are deleted, all versions of them, unless a legal hold keeps them; and
what was archived of conversations that somebody deleted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.archive import expiring_queries as queries
from chatsphere.archive import manifest_queries
from chatsphere.archive.asked_removals import SETTLED, AskedRemovals
from chatsphere.archive.erasing import ArchiveEraser
from chatsphere.archive.model import subject
from chatsphere.archive.places import Places
from chatsphere.db.database import Connection, Database
from chatsphere.errors import ChatSphereError
from chatsphere.observability import log_failure, logger
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.row_files import RowFiles
from chatsphere.ports.system import Clock, Ids
from chatsphere.retention.holds import lock_holds

PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Expired:
    """What a run did: `complete` says whether it came to an end before its deadline; `held` files a hold keeps."""

    files: int = 0
    held: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ArchiveExpirer:
    """Looks across tenants with `maintainer_database`, deletes as one tenant with `database`."""

    maintainer_database: Database
    database: Database
    store: ObjectStore
    files: RowFiles
    clock: Clock
    ids: Ids

    def expire(self, deadline: datetime) -> Expired:
        """Delete what is over, and what dead writers left, tenant by tenant until the deadline; the next run goes on.

        A tenant whose files cannot be deleted keeps nobody from the others; it is tried again by the next run.
        """
        files, held, after = 0, 0, None
        while True:
            tenants = self._tenants(after)
            for organization_id in tenants:
                if self.clock.now() >= deadline:
                    return Expired(files, held, complete=False)
                deleted, kept = self._try_tenant(organization_id)
                files, held, after = files + deleted, held + kept, organization_id
            if len(tenants) < PAGE:
                return Expired(files, held)

    def _tenants(self, after: UUID | None) -> list[UUID]:
        now = self.clock.now()
        values = {"now": now, "asked_before": now - SETTLED, "after": after, "limit": PAGE}
        with self.maintainer_database.transaction(None) as connection:
            return [row["organization_id"] for row in connection.execute(queries.DUE, values)]

    def _try_tenant(self, organization_id: UUID) -> tuple[int, int]:
        try:
            return self.expire_tenant(organization_id)
        except ChatSphereError as error:
            log_failure(error)
            return 0, 0

    def expire_tenant(self, organization_id: UUID) -> tuple[int, int]:
        """Do it for one tenant; return how many files were deleted, and how many are held.

        Raises:
            UnavailableError: a store does not answer, or still shows what was deleted.
        """
        places = Places(self.database, self.store, self.clock, self.ids)
        places.discard(organization_id)
        deleted, held, after = 0, 0, None
        while True:
            with self.database.transaction(organization_id) as connection:
                found, free = self._mark(connection, after)
            places.finish_deleting(organization_id)
            deleted, held = deleted + len(free), held + len(found) - len(free)
            if len(found) < PAGE:
                break
            after = found[-1]
        if deleted:
            logger.info("archive expired", organization_id=str(organization_id), files=deleted, held=held)
        # Last: what a damaged file keeps from being done must not keep it from its end.
        eraser = ArchiveEraser(self.database, self.store, self.files, self.clock, self.ids)
        AskedRemovals(self.database, eraser, self.clock).run(organization_id)
        return deleted, held

    def _mark(self, connection: Connection, after: UUID | None) -> tuple[Sequence[UUID], Sequence[UUID]]:
        """Mark files as going; return those whose time is over, and those of them that no hold keeps."""
        lock_holds(connection)
        is_held = _held_by(connection.execute(queries.HOLDS).fetchall())
        values = {"now": self.clock.now(), "after": after, "limit": PAGE}
        rows = connection.execute(queries.EXPIRED, values).fetchall()
        free = [row["id"] for row in rows if not is_held(row)]
        connection.execute(manifest_queries.MARK_DELETING, {"ids": free, "now": self.clock.now()})
        return [row["id"] for row in rows], free


def reschedule(connection: Connection, archive_days: int | None, *, bot_id: UUID | None = None) -> int:
    """Let what is archived of a bot (None: of no bot) end so many days after it was written, None: never; return how
    many files that changes. In the caller's transaction.
    """
    return connection.execute(queries.RESCHEDULE, {"days": archive_days, "bot_id": bot_id}).rowcount


def archived_bots(connection: Connection) -> list[UUID | None]:
    """Return the bots that anything is archived of; None stands for what is of no bot."""
    return [row["bot_id"] for row in connection.execute(queries.BOTS)]


def _held_by(holds: Sequence[dict[str, Any]]) -> Callable[[dict[str, Any]], bool]:
    """Return what says whether a hold keeps a file: of everything, of its bot, or of somebody whose rows may be in it.

    A hash may be another's, too: then a file is kept for longer than it has to be.
    """
    everything = any(hold["subject"] == "organization" for hold in holds)
    bots = {hold["bot_id"] for hold in holds if hold["subject"] == "bot"}
    named = [hold["conversation_id"] or hold["end_user_id"] for hold in holds if hold["subject"] not in ("bot",)]
    subjects = {subject(str(name)) for name in named if name is not None}
    return lambda row: everything or row["bot_id"] in bots or not subjects.isdisjoint(row["subjects"])
