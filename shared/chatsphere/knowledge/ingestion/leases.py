"""The lease of an extraction: taken by one, renewed while it lives, lost to whoever comes after it ran out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.errors import LeaseLostError
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.times import EXTRACT_LEASE, PICKUP, RENEW_EVERY
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS
from chatsphere.ports import Clock
from chatsphere.queue_batches import NotNowError


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to be extracted. `live_sha256` is None where no bytes may count as unchanged."""

    name: str
    key: str
    version_id: str | None
    etag: str
    attempts: int
    live_sha256: str | None


class ExtractionLease:
    """One holder's lease of one generation's extraction."""

    def __init__(self, database: Database, clock: Clock, message: ExtractMessage, token: UUID) -> None:
        self._database = database
        self._clock = clock
        self._organization_id = message.organization_id
        self._last_renewal = clock.now()
        self.values: dict[str, Any] = {
            "bot_id": message.bot_id,
            "document_id": message.document_id,
            "generation": message.generation,
            "token": token,
        }
        """Parameters that every statement under the lease names."""

    def claim(self) -> Claimed | None:
        """Take the lease and clear what a former holder left; None where there is nothing to extract.

        Raises:
            NotNowError: somebody else holds it.
        """
        with self._database.transaction(self._organization_id) as connection:
            values = self.values | self._until(EXTRACT_LEASE)
            row = connection.execute(queries.CLAIM_EXTRACTION, values).fetchone()
            if row is None:
                if connection.execute(queries.IS_EXTRACTING, values).fetchone():
                    raise NotNowError("another extraction of the document is under way")
                return None
            connection.execute(DROP_UNSEEN_CHUNKS, values)
        return _claimed(row)

    def renew(self) -> None:
        """Renew the lease if that is due; to be called often while no transaction is open.

        Raises:
            LeaseLostError: it is somebody else's now, or the generation is not wanted any more.
        """
        if self._clock.now() - self._last_renewal >= RENEW_EVERY:
            with self._database.transaction(self._organization_id) as connection:
                self.hold(connection)

    def hold(self, connection: Connection) -> None:
        """Renew the lease, and let nobody take it before the transaction has ended.

        Raises:
            LeaseLostError: as `renew`.
        """
        self._last_renewal = self._clock.now()
        require_row(connection.execute(queries.RENEW_LEASE, self.values | self._until(EXTRACT_LEASE)).rowcount)

    def release(self, *, counted: bool) -> None:
        """Give the extraction back, so that the next message can take it up at once."""
        values = self.values | self._until(PICKUP) | {"forgiven": 0 if counted else 1}
        with self._database.transaction(self._organization_id) as connection:
            connection.execute(queries.RELEASE_LEASE, values)

    def _until(self, duration: Any) -> dict[str, datetime]:
        now = self._clock.now()
        return {"now": now, "lease_expires_at": now + duration}


def require_row(count: int) -> None:
    """Raise `LeaseLostError` where a fenced statement changed no row."""
    if count == 0:
        raise LeaseLostError


def _claimed(row: Mapping[str, Any]) -> Claimed:
    unchanged_counts = row["live_generation"] is not None and row["live_etag"] is not None
    return Claimed(
        name=row["name"],
        key=row["s3_key"],
        version_id=row["s3_version_id"],
        etag=row["etag"],
        attempts=row["attempts"],
        live_sha256=row["sha256"] if unchanged_counts else None,
    )
