"""The documents of pages: their bytes put into the uploads bucket and registered, as a text of the API's is."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.errors import DocumentError, QuotaExceededError
from chatsphere.knowledge.ingestion.decisions import DECLARED_SIZE, TYPE_DECIDES
from chatsphere.knowledge.ingestion.deletion import mark_deleted
from chatsphere.knowledge.ingestion.errors import NoRoomError
from chatsphere.knowledge.ingestion.events import Change, ObjectEvent
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.room import require_room_for
from chatsphere.knowledge.ingestion.times import DEADLINE
from chatsphere.knowledge.ingestion.transitions import fail_document
from chatsphere.knowledge.web import steps_queries as queries
from chatsphere.knowledge.web.announcing import announce_page
from chatsphere.knowledge.web.errors import DuplicatePageError, NameTakenError
from chatsphere.knowledge.web.leases import Step
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.objects import ObjectStore, StoredObject
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import Namespace
from chatsphere.queue_batches import NotNowError
from chatsphere.retention.holds import is_document_held

NO_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Content:
    """What a page holds.

    `is_html`: its declared type says so, whatever its URL ends in. `was_fetched_before`: these bytes were stored for
    this page already.
    """

    url: WebUrl
    content_type: str
    body: bytes
    sha256: str
    is_html: bool
    was_fetched_before: bool


@dataclass(frozen=True, slots=True)
class PageDocuments:
    """Keeps documents in step with pages; each method is a transaction or several, and safe to repeat."""

    database: Database
    objects: ObjectStore
    registrar: Registrar
    clock: Clock
    ids: Ids

    def keep(self, step: Step, page_id: UUID, key: ObjectKey, content: Content) -> UUID:
        """Make, replace or leave the page's document; return its id. A source of one page takes any name that it has.

        Raises:
            NameTakenError: a document that is not of the web has the name.
            NoRoomError: the plan has no room for it.
            NotNowError: a document of this name is being deleted, or was while its page was fetched, or the source.
            UnavailableError: a store does not answer.
        """
        document_id, is_current = self._find_or_make(step, page_id, key, content)
        if not is_current:
            stored = self.objects.put(
                str(key),
                content.body,
                content_type=content.content_type or NO_TYPE,
                metadata={DECLARED_SIZE: str(len(content.body))} | ({TYPE_DECIDES: "1"} if content.is_html else {}),
            )
            if not self._is_wanted(key, document_id):
                self._take_back(stored)
                raise NotNowError("the document was deleted while its page was stored")
            self.registrar.register(ObjectEvent(Change.CREATED, str(key), self.clock.now(), stored.version_id))
        return document_id

    def is_kept(self, organization_id: UUID, document_id: UUID | None) -> bool:
        """Return whether the document holds what was fetched for it: only then may an unchanged page stay unread."""
        if document_id is None:
            return False
        with self.database.transaction(organization_id) as connection:
            return connection.execute(queries.IS_KEPT, {"document_id": document_id}).fetchone() is not None

    def fail_unfetched(self, organization_id: UUID, document_id: UUID, error: DocumentError) -> bool:
        """Say on a document that waits for its page why it does not come; return whether readers never saw it."""
        with self.database.transaction(organization_id) as connection:
            held = connection.execute(queries.HOLD_DOCUMENT, {"document_id": document_id}).fetchone()
            if held is None:
                return False
            if held["status"] == "registered" and held["stage"] == "fetch":
                generation, now = held["generation"], self.clock.now()
                fail_document(connection, document_id, generation, error, now=now, ids=self.ids)
            return held["live_generation"] is None

    def is_copy(self, step: Step, url: str) -> bool:
        """Return whether this synchronisation has found the page to be another one's copy."""
        with self.database.transaction(step.message.organization_id) as connection:
            values = step.values | {"url": url, "code": DuplicatePageError.code}
            return connection.execute(queries.IS_COPY, values).fetchone() is not None

    def remove(self, namespace: Namespace, page_id: UUID, document_id: UUID) -> PurgeMessage | None:
        """Delete the document of a page that is gone, unless another source has the page, too.

        Return the message that has it removed everywhere; without it the reaper would.
        """
        now = self.clock.now()
        values = {"page_id": page_id, "document_id": document_id, "now": now}
        with self.database.transaction(namespace.organization_id) as connection:
            if is_document_held(connection, namespace.bot_id):
                return None
            connection.execute(queries.HOLD_DOCUMENT, values)
            connection.execute(queries.LET_GO, values)
            if connection.execute(queries.IS_SHARED, values).fetchone() is not None:
                return None
            marked = mark_deleted(connection, namespace.bot_id, document_id, now, reason="source")
        if not marked:
            return None
        return PurgeMessage(organization_id=namespace.organization_id, bot_id=namespace.bot_id, document_id=document_id)

    def _is_wanted(self, key: ObjectKey, document_id: UUID) -> bool:
        """Return whether the document is still the key's: what is stored for one that was deleted would be another."""
        with self.database.transaction(key.organization_id) as connection:
            found = connection.execute(queries.FIND_DOCUMENT, {"bot_id": key.bot_id, "key": str(key)}).fetchone()
        return found is not None and found["id"] == document_id

    def _take_back(self, stored: StoredObject) -> None:
        version = stored.version_id or "null"
        listed = self.objects.versions(stored.key)
        mine = [each for each in listed if (each.id, each.etag) == (version, stored.etag)]
        self.objects.delete_versions(stored.key, mine)

    def _find_or_make(self, step: Step, page_id: UUID, key: ObjectKey, content: Content) -> tuple[UUID, bool]:
        """Return the document's id, and whether it holds these bytes already."""
        with self.database.transaction(key.organization_id) as connection:
            found = connection.execute(queries.FIND_DOCUMENT, {"bot_id": key.bot_id, "key": str(key)}).fetchone()
            if found is not None and found["source"] != "url" and not step.is_one_page:
                raise NameTakenError
            document_id: UUID = found["id"] if found else self._make(connection, key, content)
            values = step.values | {"page_id": page_id, "document_id": document_id}
            # In this order, as whoever deletes the document.
            for query in (queries.HOLD_STEP, queries.GIVE_DOCUMENT):
                if connection.execute(query, values).fetchone() is None:
                    raise NotNowError("the page or its source was deleted while the page was fetched")
        if found is None:
            return document_id, False
        waits = found["status"] == "failed" or found["stage"] in ("upload", "fetch", "register", "done")
        under_way = content.was_fetched_before and not waits
        is_live = found["status"] == "ready" and found["sha256"] == content.sha256
        return found["id"], is_live or under_way

    def _make(self, connection: Connection, key: ObjectKey, content: Content) -> UUID:
        now = self.clock.now()
        try:
            require_room_for(connection, key, len(content.body))
        except QuotaExceededError as error:
            raise NoRoomError(error.detail) from None
        made = announce_page(
            connection, key, content.url, document_id=self.ids.new(), metadata=None, now=now, deadline=now + DEADLINE
        )
        if made is None:
            raise NotNowError("a document of this name is being deleted")
        document_id: UUID = made["id"]
        return document_id
