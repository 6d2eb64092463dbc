"""The lease of an extraction: taken by one, renewed while it lives, lost to whoever comes after it ran out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.bookmarks import Progress
from chatsphere.knowledge.ingestion.errors import LeaseLostError
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.times import EXTRACT_LEASE, PICKUP, RENEW_EVERY, TIME_PER_CHUNK
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS
from chatsphere.ports.personal_data import PersonalDataKind
from chatsphere.ports.system import Clock
from chatsphere.queue_batches import NotNowError


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is to be extracted. `live_sha256` is None where no bytes may count as unchanged."""

    name: str
    key: str
    version_id: str | None
    etag: str
    live_sha256: str | None
    progress: Progress | None
    """How far others have come with it."""
    redaction: tuple[PersonalDataKind, ...] = ()
    """What of it is to be masked."""


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
        self.attempts = 0
        """How often this place of the document has been tried."""

    def claim(self, receive_count: int) -> Claimed | None:
        """Take the lease; None where there is nothing to extract. Unless it is gone on with, what former generations
        left is cleared.

        Raises:
            NotNowError: somebody else holds it, and may be dead: the message may be his own, delivered again.
        """
        with self._database.transaction(self._organization_id) as connection:
            values = self.values | self._until(EXTRACT_LEASE)
            row = connection.execute(queries.CLAIM_EXTRACTION, values).fetchone()
            if row is None:
                # One that comes for the first time is a second message: the holder has his own, which comes again.
                if receive_count > 1 and connection.execute(queries.IS_EXTRACTING, values).fetchone():
                    raise NotNowError("another extraction of the document is under way")
                return None
            found = connection.execute(queries.FIND_BOOKMARK, values).fetchone()
            if found is None:
                connection.execute(DROP_UNSEEN_CHUNKS, values)
        self.attempts = row["attempts"]
        return _claimed(row, Progress.from_row(found) if found else None)

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

    def note_object(self, etag: str) -> None:
        """Note which object is read: without versions it may be another than was registered.

        Raises:
            LeaseLostError: as `renew`.
        """
        with self._database.transaction(self._organization_id) as connection:
            require_row(connection.execute(queries.NOTE_OBJECT, self.values | {"etag": etag}).rowcount)

    def keep(self, connection: Connection, progress: Progress, chunks: int) -> None:
        """Renew the lease as `hold` does, and note what the transaction adds: chunks prolong the deadline.

        Raises:
            LeaseLostError: as `renew`.
        """
        self._last_renewal = self._clock.now()
        values = self.values | self._until(EXTRACT_LEASE) | {"more_time": chunks * TIME_PER_CHUNK}
        require_row(connection.execute(queries.PROGRESS, values).rowcount)
        self.attempts = 1
        connection.execute(queries.KEEP_BOOKMARK, values | progress.to_row())

    def pass_on(self, progress: Progress) -> None:
        """End a part of an extraction, so that whoever comes next can go on.

        Raises:
            LeaseLostError: as `renew`.
        """
        values = self.values | self._until(PICKUP)
        with self._database.transaction(self._organization_id) as connection:
            require_row(connection.execute(queries.END_PART, values).rowcount)
            connection.execute(queries.KEEP_BOOKMARK, values | progress.to_row())

    def release(self, *, counted: bool) -> None:
        """Give the extraction back, so that the next message can take it up at once."""
        values = self.values | self._until(PICKUP) | {"forgiven": 0 if counted else 1}
        with self._database.transaction(self._organization_id) as connection:
            connection.execute(queries.RELEASE_LEASE, values)

    def _until(self, duration: timedelta) -> dict[str, datetime]:
        now = self._clock.now()
        return {"now": now, "lease_expires_at": now + duration}


def require_row(count: int) -> None:
    """Raise `LeaseLostError` where a fenced statement changed no row."""
    if count == 0:
        raise LeaseLostError


def _claimed(row: Mapping[str, Any], progress: Progress | None) -> Claimed:
    # Nobody knows what was masked when the same bytes were read before.
    unchanged_counts = row["live_generation"] is not None and row["live_etag"] is not None and not row["redaction"]
    return Claimed(
        name=row["name"],
        key=row["s3_key"],
        version_id=row["s3_version_id"],
        etag=row["etag"],
        live_sha256=row["sha256"] if unchanged_counts else None,
        progress=progress,
        redaction=tuple(kind for kind in row["redaction"] or () if kind in get_args(PersonalDataKind)),
    )
