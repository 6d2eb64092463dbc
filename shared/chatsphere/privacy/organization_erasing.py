"""Deleting one organization from database, buckets, vector store and caches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion.memory_removal import MemoryRemoval
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.vector_removal import VectorRemoval
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.payments import Payments
from chatsphere.ports.vectors import Namespace, VectorStore
from chatsphere.privacy import organization_queries as queries
from chatsphere.privacy.looking import count_tenant
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.requesting_queries import HIDE_BOTS
from chatsphere.retention.holds import refuse_if_held
from chatsphere.transfers.places import prefixes_of

STEP: Final = 5000
"""Rows deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class OrganizationEraser:
    """Deletes as the tenant; its audit log as the eraser."""

    means: Means
    objects: ObjectStore
    vectors: VectorStore
    payments: Payments | None = None
    """None where this deployment takes no payments."""

    @property
    def database(self) -> Database:
        """The tenants'."""
        return self.means.database

    def refuse_if_held(self, organizations: Sequence[UUID]) -> None:
        """Let the deletion of organizations go on.

        Raises:
            LegalHoldError: something of one of them is held.
        """
        for organization_id in organizations:
            self._transact(organization_id, refuse_if_held)

    def bots(self, organization_id: UUID) -> list[UUID]:
        """Return the organization's bots: their ids are where its vectors are."""
        with self.database.transaction(organization_id) as connection:
            return [row["id"] for row in connection.execute(queries.BOTS)]

    def customer(self, organization_id: UUID) -> str | None:
        """Return who the organization is at the payment provider; None where it never paid, or is gone."""
        with self.database.transaction(organization_id) as connection:
            row = connection.execute(queries.CUSTOMER).fetchone()
        return row["id"] if row else None

    def look_for_customer(self, customer_id: str | None) -> dict[str, int]:
        """Return whether the payment provider knows the customer, as `look` does."""
        if customer_id is None or self.payments is None:
            return {}
        return {"payment_customers": 1} if self.payments.has_customer(customer_id) else {}

    def erase_customer(self, customer_id: str | None) -> None:
        """Delete the customer at the payment provider, which ends what they pay for there.

        Raises:
            UnavailableError: the provider does not answer; to be tried again.
        """
        if customer_id is not None and self.payments is not None:
            self.payments.delete_customer(customer_id)

    def look(self, organization_id: UUID, bots: Sequence[UUID]) -> dict[str, int]:
        """Return what there is of the organization: rows by table, object versions, vectors; without zeros."""
        prefix = _prefix(organization_id)
        with self.database.transaction(organization_id) as connection:
            counts = count_tenant(connection)
        with self.means.eraser_database.transaction(None) as connection:
            quarantined = connection.execute(queries.COUNT_QUARANTINED, {"prefix": prefix}).fetchone()
        counts["quarantined_objects"] = quarantined["rows"] if quarantined else 0
        counts["objects"] = self.objects.count_versions(prefix)
        removal = VectorRemoval(self.database, self.vectors)
        counts["vectors"] = sum(removal.count(Namespace(organization_id, bot_id), None) for bot_id in bots)
        memory = MemoryRemoval(self.database, self.means.messages)
        counts["memory_vectors"] = sum(memory.count(Namespace(organization_id, bot_id)) for bot_id in bots)
        counts["archived_objects"] = self.means.archives.count(organization_id)
        counts["exported_objects"] = sum(map(self.means.archive_store.count_versions, prefixes_of(organization_id)))
        return {store: number for store, number in counts.items() if number}

    def erase(self, organization_id: UUID, bots: Sequence[UUID], now: datetime, keep_lease: Callable[[], None]) -> None:
        """Delete the organization, or what is left of it. Doing it again changes nothing.

        `keep_lease` is called now and then, while no transaction is open.

        Raises:
            UnavailableError: a store does not answer, or shows what was deleted; to be tried again.
        """
        self._transact(organization_id, lambda c: c.execute(HIDE_BOTS, {"now": now}))
        for bot_id in self.bots(organization_id):
            self.means.purger.purge(PurgeMessage(organization_id=organization_id, bot_id=bot_id))
            keep_lease()
        self.erase_objects(organization_id)
        for bot_id in bots:
            if self.means.cache is not None:
                self.means.cache.clear(organization_id, bot_id)
            VectorRemoval(self.database, self.vectors).run(Namespace(organization_id, bot_id), None)
            MemoryRemoval(self.database, self.means.messages).run(Namespace(organization_id, bot_id))
        for statement in queries.DELETE_STEPS:
            while self._transact(organization_id, _step(statement)) == STEP:
                keep_lease()
        self._transact(organization_id, lambda c: c.execute(queries.DELETE_ORGANIZATION))
        # Last: until its row is gone, what happens to the organization is noted.
        while self._erase_log(organization_id) == STEP:
            keep_lease()

    def erase_objects(self, organization_id: UUID) -> int:
        """Delete whatever is in the organization's parts of the buckets; return how many versions held data."""
        prefix = _prefix(organization_id)
        deleted = self.objects.delete_prefix(prefix)
        self.means.archives.erase(organization_id)
        deleted += sum(map(self.means.archive_store.delete_prefix, prefixes_of(organization_id)))
        with self.means.eraser_database.transaction(None) as connection:
            connection.execute(queries.DELETE_QUARANTINED, {"prefix": prefix})
        return deleted

    def _erase_log(self, organization_id: UUID) -> int:
        with self.means.eraser_database.transaction(None) as connection:
            values = {"organization_id": organization_id, "limit": STEP}
            return connection.execute(queries.DELETE_AUDIT_LOG, values).rowcount

    def _transact(self, organization_id: UUID, work: Callable[[Connection], Any]) -> Any:
        with self.database.transaction(organization_id) as connection:
            return work(connection)


def _step(statement: str) -> Callable[[Connection], int]:
    return lambda connection: connection.execute(statement, {"limit": STEP}).rowcount


def _prefix(organization_id: UUID) -> str:
    return f"{organization_id}/"
