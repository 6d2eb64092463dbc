"""Waiting for a malware scan: a document whose object was not scanned yet is put aside until the result is reported.

Only the reader of documents asks for the verdict (`extract.py`), right before it downloads: no way through ingestion
leads past it. What is reported here merely says that it is worth asking again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.times import PICKUP
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock

RESULT: Final = "GuardDuty Malware Protection Object Scan Result"
"""The kind of EventBridge's event."""

LOOK_AGAIN: Final = timedelta(minutes=10)
"""When a scan's result is looked for although none was reported."""

AWAIT_SCAN: Final = """
    UPDATE documents
    SET status = 'registered', stage = 'scan', lease_token = NULL, lease_expires_at = %(lease_expires_at)s,
        attempts = GREATEST(attempts - 1, 0), updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND id = %(document_id)s AND generation = %(generation)s
      AND status = 'extracting' AND lease_token = %(token)s
"""
"""Put an extraction aside; the try does not count."""

END_WAIT: Final = """
    UPDATE documents
    SET stage = 'extract', lease_expires_at = %(lease_expires_at)s, updated_at = %(now)s
    WHERE organization_id = app.current_organization() AND bot_id = %(bot_id)s AND s3_key = %(key)s
      AND status = 'registered' AND stage = 'scan'
    RETURNING id AS document_id, generation
"""
"""Take up the document of a key that waits for its scan; no row where none does."""


@dataclass(frozen=True, slots=True)
class ScannedObject:
    """An object whose scan has ended, one way or another."""

    key: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self | None:
        """Read EventBridge's event; None where the message is none of a scan.

        Raises:
            ValueError: it is one, and does not name an object.
        """
        if body.get("detail-type") != RESULT:
            return None
        try:
            return cls(str(body["detail"]["s3ObjectDetails"]["objectKey"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a scan's result: {error!r}") from None


def await_scan(database: Database, message: ExtractMessage, lease: Mapping[str, Any], now: datetime) -> None:
    """Put the extraction aside that holds the lease with these values, until its object's scan has ended."""
    values = {**lease, "now": now, "lease_expires_at": now + LOOK_AGAIN}
    with database.transaction(message.organization_id) as connection:
        connection.execute(AWAIT_SCAN, values)


@dataclass(frozen=True, slots=True)
class ScanWaits:
    """Ends the waiting of documents."""

    database: Database
    extract_queue: MessageQueue
    clock: Clock

    def end(self, scanned: ScannedObject) -> None:
        """Have the object's document read, if it waits; else the reader meets the verdict when it gets there."""
        try:
            key = ObjectKey.parse(scanned.key)
        except InvalidNameError:
            return
        now = self.clock.now()
        values = {"bot_id": key.bot_id, "key": str(key), "now": now, "lease_expires_at": now + PICKUP}
        with self.database.transaction(key.organization_id) as connection:
            row = connection.execute(END_WAIT, values).fetchone()
        if row is not None:
            message = ExtractMessage(organization_id=key.organization_id, bot_id=key.bot_id, **row)
            self.extract_queue.send([message.to_json()], group=message.group)
