"""Stage 1: an object appeared or disappeared in the bucket; the document of its key follows."""

from dataclasses import dataclass, replace
from typing import Any, Final

from chatsphere.db.database import Connection, Database
from chatsphere.errors import DocumentError
from chatsphere.knowledge.ingestion import register_queries as queries
from chatsphere.knowledge.ingestion.decisions import Decision, Seen, decide, refusal
from chatsphere.knowledge.ingestion.deletion import Eraser, mark_deleted
from chatsphere.knowledge.ingestion.errors import InvalidNameError
from chatsphere.knowledge.ingestion.events import Change, ObjectEvent
from chatsphere.knowledge.ingestion.messages import ExtractMessage, PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.object_removal import is_leaving, leaving
from chatsphere.knowledge.ingestion.receipts import Reason
from chatsphere.knowledge.ingestion.refused import forget_refused
from chatsphere.knowledge.ingestion.room import lack_of_room
from chatsphere.knowledge.ingestion.times import DEADLINE, ERASE_AT_ONCE, PICKUP
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS, fail_document, refresh_bot_status
from chatsphere.observability import logger
from chatsphere.ports.objects import ObjectStore, StoredObject
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import NotNowError
from chatsphere.retention.holds import is_document_held

LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers objects. `max_bytes` is the largest file that is taken."""

    database: Database
    objects: ObjectStore
    extract_queue: MessageQueue
    eraser: Eraser
    clock: Clock
    ids: Ids
    max_bytes: int

    def register(self, event: ObjectEvent, receive_count: int = 1) -> None:
        """Let the key's document follow the object; the same event again, or an older one, changes nothing.

        A message that is delivered again may be of a worker that was killed when it had committed, and had not sent.

        Raises:
            NotNowError: the key's document is being deleted, or changes all the time.
            UnavailableError: something does not answer; nothing is lost by trying again.
        """
        try:
            key = ObjectKey.parse(event.key)
        except InvalidNameError as error:
            self._quarantine(event, error.detail)
            return
        for _ in range(LOOKS):
            if self._follow(key, event):
                if receive_count > 1:
                    self._send_again(key)
                return
            # Its place in the order may be in the row by now, and must not end what is not finished.
            event = replace(event, sequencer=None)
        raise NotNowError("the document keeps changing")

    def _follow(self, key: ObjectKey, event: ObjectEvent) -> bool:
        """Look at row and object, then act if the row is still the same; return False if it is not."""
        with self.database.transaction(key.organization_id) as connection:
            known_bot = connection.execute(queries.BOT_EXISTS, {"bot_id": key.bot_id}).fetchone()
            seen = _find(connection, key)
            deletions = leaving(connection, key.bot_id, str(key))
        if not known_bot:
            self._quarantine(event, "There is no such bot.")
            return True
        if known_bot["status"] == "importing" or (seen and event.is_older_or_same(seen.s3_sequencer)):
            # Who imports a bot stores its objects, and knows them.
            return True
        stored = self.objects.head(str(key))
        if stored is None or is_leaving(stored, deletions):
            return self._remove(key, seen, "reconcile" if event.is_look else "bucket")
        # A new row has nothing by which a removal that was worked off meanwhile could have found it.
        return self._create(key, event, stored, seen) and (seen is not None or self._still(stored))

    def _send_again(self, key: ObjectKey) -> None:
        """Have the document read if nobody has begun to: a second message for it does no harm."""
        with self.database.transaction(key.organization_id) as connection:
            row = connection.execute(queries.FIND_UNREAD, {"bot_id": key.bot_id, "key": str(key)}).fetchone()
        if row is not None:
            message = ExtractMessage(organization_id=key.organization_id, bot_id=key.bot_id, **row)
            self.extract_queue.send([message.to_json()], group=message.group)

    def _still(self, stored: StoredObject) -> bool:
        now = self.objects.head(stored.key)
        return now is not None and (now.version_id, now.etag) == (stored.version_id, stored.etag)

    def _create(self, key: ObjectKey, event: ObjectEvent, stored: StoredObject, seen: Seen | None) -> bool:
        message = None
        with self.database.transaction(key.organization_id) as connection:
            error = refusal(seen, stored, self.max_bytes) or lack_of_room(connection, key, stored.size)
            held = self._hold(connection, key, new=seen is None)
            if held is None or (seen is not None and held != seen) or (seen is None and held.stage != "register"):
                return False
            if held.status == "deleting":
                raise NotNowError("the document is being deleted")
            values = self._values(held, event, stored)
            if error:
                self._reject(connection, values, error)
                forget_refused(connection, key.bot_id)
            else:
                message = self._apply(connection, key, decide(held, event, stored), values)
        if error:
            if not self._still(stored):
                return False
            self.objects.delete(str(key))
        if message:
            self.extract_queue.send([message.to_json()], group=message.group)
        return True

    def _hold(self, connection: Connection, key: ObjectKey, *, new: bool) -> Seen | None:
        if new:
            values = {"id": self.ids.new(), "bot_id": key.bot_id, "name": key.name, "key": str(key)}
            connection.execute(queries.INSERT_DOCUMENT, values | {"now": self.clock.now()})
        return _find(connection, key, hold=True)

    def _apply(
        self, connection: Connection, key: ObjectKey, decision: Decision, values: dict[str, Any]
    ) -> ExtractMessage | None:
        if decision is Decision.IGNORE:
            return None
        if decision is not Decision.START:
            connection.execute(queries.NOTE_EVENT, values)
            if decision is Decision.KEEP:
                connection.execute(queries.KEEP_LIVE, values)
                refresh_bot_status(connection, key.bot_id, self.clock.now())
            return None
        return start_generation(connection, key, values)

    def _reject(self, connection: Connection, values: dict[str, Any], error: DocumentError) -> None:
        if row := connection.execute(queries.REJECT, values).fetchone():
            fail_document(
                connection, values["document_id"], row["generation"], error, now=self.clock.now(), ids=self.ids
            )

    def _values(self, seen: Seen, event: ObjectEvent, stored: StoredObject) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "document_id": seen.id,
            "size": stored.size,
            "etag": stored.etag,
            "content_type": stored.content_type,
            "version_id": stored.version_id,
            "sequencer": event.sequencer,
            "happened_at": event.happened_at,
            "lease_expires_at": now + PICKUP,
            "deadline_at": now + DEADLINE,
            "now": now,
        }

    def _remove(self, key: ObjectKey, seen: Seen | None, reason: Reason) -> bool:
        if seen is None or seen.status == "deleting" or seen.was_rejected or seen.s3_event_at is None:
            return True
        with self.database.transaction(key.organization_id) as connection:
            if is_document_held(connection, key.bot_id):
                # It stays without its object. When the hold is released, the comparison of the stores finds it.
                return True
            if _find(connection, key, hold=True) != seen:
                return False
            mark_deleted(connection, key.bot_id, seen.id, self.clock.now(), reason=reason, with_object=False)
        message = PurgeMessage(organization_id=key.organization_id, bot_id=key.bot_id, document_id=seen.id)
        # What takes longer is found by the reaper: the key is free by now.
        self.eraser.erase(message, within=ERASE_AT_ONCE)
        return True

    def _quarantine(self, event: ObjectEvent, reason: str) -> None:
        if event.change is not Change.CREATED:
            return
        values = {
            "id": self.ids.new(),
            "key": event.key.encode("unicode_escape").decode() if not event.key.isprintable() else event.key,
            "version_id": event.version_id or "",
            "reason": reason,
            "now": self.clock.now(),
        }
        with self.database.transaction(None) as connection:
            connection.execute(queries.QUARANTINE, values)
        logger.warning("object quarantined", reason=reason)


def start_generation(connection: Connection, key: ObjectKey, values: dict[str, Any]) -> ExtractMessage:
    """Ask for a new generation of a document; return the message to be sent after the commit."""
    row = connection.execute(queries.START_GENERATION, values).fetchone()
    assert row is not None
    connection.execute(DROP_UNSEEN_CHUNKS, values)
    refresh_bot_status(connection, key.bot_id, values["now"])
    return ExtractMessage(
        organization_id=key.organization_id,
        bot_id=key.bot_id,
        document_id=values["document_id"],
        generation=row["generation"],
    )


def _find(connection: Connection, key: ObjectKey, *, hold: bool = False) -> Seen | None:
    query = queries.HOLD_DOCUMENT if hold else queries.FIND_DOCUMENT
    row = connection.execute(query, {"bot_id": key.bot_id, "key": str(key)}).fetchone()
    return Seen.of(row) if row else None
