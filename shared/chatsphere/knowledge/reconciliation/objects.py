"""Objects of the bucket against documents: what notifications that never came would have told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.events import look
from chatsphere.knowledge.ingestion.object_keys import ObjectKey, prefix
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.comparison import Subject
from chatsphere.knowledge.reconciliation.findings import Difference, Findings
from chatsphere.ports.objects import ListedObject, ObjectStore
from chatsphere.queue_batches import NotNowError

PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """Compares in the order of the keys. What differs is looked at by the registrar, as an event would have it."""

    database: Database
    objects: ObjectStore
    registrar: Registrar

    def page(self, subject: Subject, after: str | None, findings: Findings) -> str | None:
        """See `Comparison.page`; a place is a key."""
        place = prefix(subject.organization_id, subject.bot_id)
        listed = list(islice(self.objects.listing(place, after=after), PAGE))
        last = listed[-1].key if len(listed) == PAGE else None
        rows = self._documents(subject, after, last)
        findings.looked_at["objects"] += len(listed)
        for stored in listed:
            self._compare(subject, stored, rows.pop(stored.key, None), findings)
        for row in rows.values():
            self._require_object(subject, row, findings)
        return last

    def _documents(self, subject: Subject, after: str | None, last: str | None) -> dict[str, Mapping[str, Any]]:
        values = {"bot_id": subject.bot_id, "after": after or "", "last": last}
        with self.database.transaction(subject.organization_id) as connection:
            rows: Sequence[Mapping[str, Any]] = connection.execute(queries.DOCUMENTS_BY_KEY, values).fetchall()
        return {row["s3_key"]: row for row in rows}

    def _compare(
        self, subject: Subject, stored: ListedObject, row: Mapping[str, Any] | None, findings: Findings
    ) -> None:
        if row is not None and (row["etag"] == stored.etag or row["status"] == "deleting"):
            return
        kind = Difference.OBJECT_UNREGISTERED if row is None else Difference.OBJECT_CHANGED
        try:
            ObjectKey.parse(stored.key)
        except InvalidNameError:
            kind = Difference.OBJECT_UNUSABLE
        followed = subject.repair and self._follow(stored.key)
        findings.differ(kind, stored.key, repaired=followed and kind is not Difference.OBJECT_UNUSABLE)

    def _require_object(self, subject: Subject, row: Mapping[str, Any], findings: Findings) -> None:
        """A document that was made from an object must have it; one that came after the listing has."""
        if row["has_object"] and self.objects.head(row["s3_key"]) is None:
            repaired = subject.repair and self._follow(row["s3_key"])
            findings.differ(Difference.OBJECT_GONE, row["id"], repaired=repaired)

    def _follow(self, key: str) -> bool:
        try:
            self.registrar.register(look(key))
        except NotNowError:
            return False
        return True
