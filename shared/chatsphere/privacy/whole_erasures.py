"""Erasures of people and of organizations, as the job runs them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.errors import UnavailableError
from chatsphere.observability import logger
from chatsphere.ports.system import Clock
from chatsphere.privacy.model import BACKUPS, PERSON, UPLOADS_END, ErasureWork
from chatsphere.privacy.notes import ErasureNotes, Found
from chatsphere.privacy.organization_erasing import OrganizationEraser
from chatsphere.privacy.person_erasing import PersonEraser

ANONYMIZED: Final = frozenset(
    {"archived_rows", "bots", "bot_versions", "invitations", "usage_events", "audit_log_personal_values"}
)
"""Where rows that name a person stay an organization's, without the name."""

LOGS: Final = (
    "No log holds a name or a mail address. The API's access log in the cloud names no person; its lines "
    "expire by their retention, 30 days unless the deployment chose otherwise."
)


@dataclass(frozen=True, slots=True)
class WholeErasures:
    """The `KindEraser` of people and organizations."""

    organizations: OrganizationEraser
    people: PersonEraser
    clock: Clock

    def erase(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> dict[str, Any]:
        """See `KindEraser.erase`."""
        self.organizations.refuse_if_held(work.organizations)
        for organization_id in work.organizations:
            bots = self._look_first(notes, found, organization_id)
            # Before its row, which says who the customer is: a checkout that is still open cannot be paid any more.
            self.organizations.erase_customer(_customer(found, organization_id))
            self.organizations.erase(organization_id, bots, self.clock.now(), notes.keep_lease)
        if work.kind == PERSON:
            self._look_at_person(notes, work, found)
            self.people.erase(_subject(work), found.content["email"], _places(found))
        left = self._look_again(work, found)
        if left:
            logger.warning("erasure not complete yet", erasure_id=str(work.id), left=left)
            raise UnavailableError("Something is left.")
        return (
            _receipt(found.counts)
            | self._unreached(found)
            | {
                "checked_at": self.clock.now().isoformat(),
                "logs": LOGS,
                "backups": BACKUPS,
            }
        )

    def look_once_more(self, notes: ErasureNotes, work: ErasureWork) -> dict[str, Any]:
        """See `KindEraser.look_once_more`: what came into the buckets after the receipt, by a permission that was given
        before.
        """
        notes.keep_lease()
        late = sum(self.organizations.erase_objects(organization_id) for organization_id in work.organizations)
        if any(self.organizations.look(organization_id, ()) for organization_id in work.organizations):
            raise UnavailableError("Something is left.")
        return {"late_objects_removed": late}

    def paused(self, work: ErasureWork) -> None:
        """See `KindEraser.paused`."""

    def recheck_after(self, work: ErasureWork) -> timedelta | None:
        """See `KindEraser.recheck_after`."""
        return UPLOADS_END if work.organizations else None

    def _look_first(self, notes: ErasureNotes, found: Found, organization_id: UUID) -> list[UUID]:
        """Keep what there is of an organization, and where its vectors are, before anything of it is deleted."""
        scope, bots = str(organization_id), found.content["bots"]
        known = {*map(UUID, bots.get(scope, ())), *self.organizations.bots(organization_id)}
        bots[scope] = sorted(map(str, known))
        customers = found.content.setdefault("customers", {})
        customers[scope] = customers.get(scope) or self.organizations.customer(organization_id)
        customer = self.organizations.look_for_customer(customers[scope])
        found.merge(scope, self.organizations.look(organization_id, sorted(known)) | customer)
        notes.keep(found)
        return sorted(known)

    def _unreached(self, found: Found) -> dict[str, Any]:
        """Say who could not be deleted, because payments were switched off since."""
        customers = [each for each in found.content.get("customers", {}).values() if each is not None]
        if not customers or self.organizations.payments is not None:
            return {}
        return {"unreached": {"payment_customers": len(customers)}}

    def _look_at_person(self, notes: ErasureNotes, work: ErasureWork, found: Found) -> None:
        content, person = found.content, _subject(work)
        content["email"] = content.get("email") or self.people.email(person) or ""
        known = {*content.get("places", ()), *map(str, self.people.places(person))} - set(map(str, work.organizations))
        content["places"] = sorted(known)
        found.merge(PERSON, self.people.look(person, content["email"], _places(found)))
        notes.keep(found)

    def _look_again(self, work: ErasureWork, found: Found) -> dict[str, int]:
        """Return what is left, at every store: an upload or a request under way may have come in between."""
        left: Counter[str] = Counter()
        for organization_id in work.organizations:
            bots = [*map(UUID, found.content["bots"][str(organization_id)])]
            left.update(self.organizations.look(organization_id, bots))
            left.update(self.organizations.look_for_customer(_customer(found, organization_id)))
        if work.kind == PERSON:
            left.update(self.people.look(_subject(work), found.content["email"], _places(found)))
        return dict(left)


def _customer(found: Found, organization_id: UUID) -> str | None:
    """Return who an organization was at the payment provider, also when its row is gone."""
    customer: str | None = found.content.get("customers", {}).get(str(organization_id))
    return customer


def _subject(work: ErasureWork) -> UUID:
    assert work.subject_id is not None
    return work.subject_id


def _places(found: Found) -> list[UUID]:
    """Return the organizations that go on and in whose archives the person may be named."""
    return [*map(UUID, found.content["places"])]


def _receipt(found: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return what was removed, what only names the person no more, and that of both nothing is left."""
    removed: Counter[str] = Counter()
    anonymized: Counter[str] = Counter()
    for scope, counts in found.items():
        for store, number in counts.items():
            (anonymized if scope == PERSON and store in ANONYMIZED else removed)[store] += number
    looked_at = sorted({*removed, *anonymized, "objects", "vectors", "archived_objects"})
    return {
        "removed": dict(sorted(removed.items())),
        "anonymized": dict(sorted(anonymized.items())),
        "left": dict.fromkeys(looked_at, 0),
    }
