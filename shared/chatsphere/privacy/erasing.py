"""The job that deletes a person or an organization everywhere, looks a second time, and only then writes the receipt.

Each step may be done again: a worker that dies leaves a lease that expires, and the reaper has the rest done.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.errors import UnavailableError
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.observability import logger
from chatsphere.ports import Clock
from chatsphere.privacy import erasing_queries as queries
from chatsphere.privacy.model import ERASURE_LEASE, PERSON, UPLOADS_END, ErasureWork
from chatsphere.privacy.organization_erasing import OrganizationEraser
from chatsphere.privacy.person_erasing import PersonEraser
from chatsphere.queue_batches import NotNowError

ANONYMIZED: Final = frozenset({"bots", "bot_versions", "invitations", "usage_events", "audit_log_personal_values"})
"""Where rows that name a person stay an organization's, without the name."""

LOGS: Final = (
    "No log holds a name or a mail address. The API's access log in the cloud names no person; its lines "
    "expire by their retention, 30 days unless the deployment chose otherwise."
)


@dataclass(frozen=True, slots=True)
class ErasureJob:
    """Works off erasures. `database` is the eraser's."""

    database: Database
    organizations: OrganizationEraser
    people: PersonEraser
    clock: Clock

    def run(self, message: ErasureMessage) -> None:
        """Finish an erasure, or look once more after one that is done; where neither is due, nothing happens.

        Raises:
            NotNowError: somebody else is at it.
            UnavailableError: a store does not answer, or the second look found something; to be tried again.
        """
        work = self._claim(message.erasure_id)
        if work is None:
            return
        try:
            if work.status == "done":
                self._look_once_more(work)
            else:
                self._erase(work)
        except Exception:
            self._hold_until(work, self.clock.now())
            raise

    def _erase(self, work: ErasureWork) -> None:
        found = work.found or {"bots": {}, "removed": {}}
        for organization_id in work.organizations:
            bots = self._look_first(work, found, organization_id)
            self.organizations.erase(organization_id, bots, self.clock.now(), lambda: self._keep_lease(work))
        if work.kind == PERSON:
            self._look_at_person(work, found)
            self.people.erase(work.subject_id, found["email"])
        left = self._look_again(work, found)
        if left:
            logger.warning("erasure not complete yet", erasure_id=str(work.id), left=left)
            raise UnavailableError("Something is left.")
        self._finish(work, found)

    def _look_first(self, work: ErasureWork, found: dict[str, Any], organization_id: UUID) -> list[UUID]:
        """Keep what there is of an organization, and where its vectors are, before anything of it is deleted."""
        scope = str(organization_id)
        known = {*map(UUID, found["bots"].get(scope, ())), *self.organizations.bots(organization_id)}
        found["bots"][scope] = sorted(map(str, known))
        self._keep(work, found, scope, self.organizations.look(organization_id, sorted(known)))
        return sorted(known)

    def _look_at_person(self, work: ErasureWork, found: dict[str, Any]) -> None:
        email = found.get("email") or self.people.email(work.subject_id) or ""
        found["email"] = email
        self._keep(work, found, PERSON, self.people.look(work.subject_id, email))

    def _keep(self, work: ErasureWork, found: dict[str, Any], scope: str, counts: Mapping[str, int]) -> None:
        former = found["removed"].get(scope, {})
        # A second try finds less than there was.
        found["removed"][scope] = {key: max(former.get(key, 0), counts.get(key, 0)) for key in {*former, *counts}}
        with self.database.transaction(None) as connection:
            connection.execute(queries.KEEP_FOUND, {"id": work.id, "found": Jsonb(found)})

    def _look_again(self, work: ErasureWork, found: Mapping[str, Any]) -> dict[str, int]:
        """Return what is left, at every store: an upload or a request under way may have come in between."""
        left: Counter[str] = Counter()
        for organization_id in work.organizations:
            left.update(self.organizations.look(organization_id, [*map(UUID, found["bots"][str(organization_id)])]))
        if work.kind == PERSON:
            left.update(self.people.look(work.subject_id, found["email"]))
        return dict(left)

    def _finish(self, work: ErasureWork, found: Mapping[str, Any]) -> None:
        receipt = _receipt(found["removed"]) | {"checked_at": self.clock.now().isoformat(), "logs": LOGS}
        self._write(work, receipt, done=not work.organizations)
        logger.info("erasure done", erasure_id=str(work.id), kind=work.kind)

    def _look_once_more(self, work: ErasureWork) -> None:
        """Delete what came into the bucket after the receipt, by a permission that was given before."""
        late = sum(self.organizations.erase_objects(organization_id) for organization_id in work.organizations)
        if any(self.organizations.look(organization_id, ()) for organization_id in work.organizations):
            raise UnavailableError("Something is left.")
        receipt = {**(work.receipt or {}), "rechecked_at": self.clock.now().isoformat(), "late_objects_removed": late}
        self._write(work, receipt, done=True)

    def _write(self, work: ErasureWork, receipt: Mapping[str, Any], *, done: bool) -> None:
        values = {
            "id": work.id,
            "now": self.clock.now(),
            "receipt": Jsonb(receipt),
            "recheck_at": None if done else work.requested_at + UPLOADS_END,
        }
        with self.database.transaction(None) as connection:
            connection.execute(queries.FINISH, values)

    def _claim(self, erasure_id: UUID) -> ErasureWork | None:
        now = self.clock.now()
        values = {"id": erasure_id, "now": now, "lease_expires_at": now + ERASURE_LEASE}
        with self.database.transaction(None) as connection:
            row = connection.execute(queries.CLAIM, values).fetchone()
            held = row is None and connection.execute(queries.IS_HELD, values).fetchone() is not None
        if held:
            raise NotNowError("the erasure is under way")
        return ErasureWork(**row) if row else None

    def _keep_lease(self, work: ErasureWork) -> None:
        self._hold_until(work, self.clock.now() + ERASURE_LEASE)

    def _hold_until(self, work: ErasureWork, moment: datetime) -> None:
        with self.database.transaction(None) as connection:
            connection.execute(queries.HOLD_UNTIL, {"id": work.id, "lease_expires_at": moment})


def _receipt(found: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return what was removed, what only names the person no more, and that of both nothing is left."""
    removed: Counter[str] = Counter()
    anonymized: Counter[str] = Counter()
    for scope, counts in found.items():
        for store, number in counts.items():
            (anonymized if scope == PERSON and store in ANONYMIZED else removed)[store] += number
    looked_at = sorted({*removed, *anonymized, "objects", "vectors"})
    return {
        "removed": dict(sorted(removed.items())),
        "anonymized": dict(sorted(anonymized.items())),
        "left": dict.fromkeys(looked_at, 0),
    }
