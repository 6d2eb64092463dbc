"""Documents that come through the API: permission to upload a file, text as it stands."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import PayloadTooLargeError
from chatsphere.knowledge.documents import Document, find_document, get_document, require_open_bot
from chatsphere.knowledge.ingestion import register_queries as queries
from chatsphere.knowledge.ingestion.decisions import DECLARED_SIZE
from chatsphere.knowledge.ingestion.errors import DocumentInProgressError
from chatsphere.knowledge.ingestion.events import Change, ObjectEvent
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.room import require_room_for
from chatsphere.knowledge.ingestion.times import UPLOAD_GRACE
from chatsphere.knowledge.ingestion.transitions import refresh_bot_status
from chatsphere.ports.objects import ObjectStore, PresignedPost
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import NotNowError

Outcome = Literal["created", "replaced", "unchanged"]


@dataclass(frozen=True, slots=True)
class Submission:
    """A document to come; `tags` and `metadata` None leave an existing document's as they are."""

    key: ObjectKey
    source: str
    content_type: str
    size: int
    metadata: Mapping[str, Any] | None = None
    tags: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """The document, and what became of the submission."""

    document: Document
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Submitter:
    """Takes documents from the API. `max_bytes` is the largest file; an upload must begin in `expires_seconds`."""

    database: Database
    objects: ObjectStore
    registrar: Registrar
    clock: Clock
    ids: Ids
    max_bytes: int
    expires_seconds: int

    def permit_upload(self, submission: Submission) -> tuple[Submitted, PresignedPost]:
        """Make the document's row and a form with which exactly its object may be uploaded.

        Raises:
            InvalidNameError: the name cannot be part of a key.
            PayloadTooLargeError: the size is over the limit.
            NotFoundError: the tenant has no such bot.
            BotArchivedError: the bot is archived.
            QuotaExceededError: the plan has no room for it.
            DocumentInProgressError: a document of this name is being deleted.
        """
        submission.key.check()
        if submission.size > self.max_bytes:
            raise PayloadTooLargeError(f"A file may hold {self.max_bytes} bytes.")
        submitted = self._announce(submission)
        form = self.objects.presign_upload(
            str(submission.key),
            content_type=submission.content_type,
            max_bytes=submission.size,
            expires_seconds=self.expires_seconds,
            metadata={DECLARED_SIZE: str(submission.size)},
        )
        return submitted, form

    def accept_text(self, submission: Submission, text: bytes) -> Submitted:
        """Store a text as an object and register it at once; its event will find nothing left to do.

        Raises:
            InvalidNameError, NotFoundError, BotArchivedError, QuotaExceededError, DocumentInProgressError: as
                `permit_upload`.
            UnavailableError: the object store or queue does not answer; the request may be repeated.
        """
        submission.key.check()
        if unchanged := self._same_text(submission, text):
            return unchanged
        submitted = self._announce(submission)
        stored = self.objects.put(
            str(submission.key),
            text,
            content_type=submission.content_type,
            metadata={DECLARED_SIZE: str(len(text))},
        )
        event = ObjectEvent(Change.CREATED, str(submission.key), self.clock.now(), stored.version_id)
        try:
            self.registrar.register(event)
        except NotNowError:
            raise DocumentInProgressError("A document of this name is being replaced or deleted.") from None
        return Submitted(self._get(submission.key, submitted.document.id), submitted.outcome)

    def _announce(self, submission: Submission) -> Submitted:
        key, now = submission.key, self.clock.now()
        metadata = None if submission.metadata is None else json.dumps(submission.metadata)
        values = {
            "id": self.ids.new(),
            "bot_id": key.bot_id,
            "name": key.name,
            "key": str(key),
            "source": submission.source,
            "content_type": submission.content_type,
            "declared_size": submission.size,
            "tags": None if submission.tags is None else list(submission.tags),
            "metadata": metadata or "{}",
            "new_metadata": metadata,
            "now": now,
            "deadline_at": now + timedelta(seconds=self.expires_seconds) + UPLOAD_GRACE,
        }
        with self.database.transaction(key.organization_id) as connection:
            require_open_bot(connection, key.bot_id)
            require_room_for(connection, key, submission.size)
            row = connection.execute(queries.ANNOUNCE_UPLOAD, values).fetchone()
            if row is None:
                raise DocumentInProgressError("A document of this name is being deleted.")
            refresh_bot_status(connection, key.bot_id, now)
            document = get_document(connection, key.bot_id, row["id"])
        return Submitted(document, "created" if row["created"] else "replaced")

    def _same_text(self, submission: Submission, text: bytes) -> Submitted | None:
        key = submission.key
        with self.database.transaction(key.organization_id) as connection:
            require_open_bot(connection, key.bot_id)
            document = find_document(connection, key.bot_id, str(key))
        if document is None or document.status != "ready" or submission.metadata not in (None, document.metadata):
            return None
        if submission.tags is not None and list(submission.tags) != list(document.tags):
            return None
        if document.sha256 != hashlib.sha256(text).hexdigest():
            return None
        return Submitted(document, "unchanged")

    def _get(self, key: ObjectKey, document_id: UUID) -> Document:
        with self.database.transaction(key.organization_id) as connection:
            return get_document(connection, key.bot_id, document_id)
