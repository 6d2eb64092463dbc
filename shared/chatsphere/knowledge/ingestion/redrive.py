"""Another try: stored files are read anew, whatever became of the tries before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.documents import Document, get_document, require_open_bot
from chatsphere.knowledge.ingestion import register_queries as queries
from chatsphere.knowledge.ingestion.errors import DocumentInProgressError, NoStoredObjectError
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.times import DEADLINE, PICKUP
from chatsphere.knowledge.ingestion.transitions import DROP_UNSEEN_CHUNKS, refresh_bot_status
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock

AT_ONCE: Final = 500
"""Documents of one request."""

SkipReason = Literal["no_stored_object", "not_failed"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that was not started again: nothing of it is stored, or it is none that has failed."""

    document_id: UUID
    reason: SkipReason
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many documents were started again, which were not, and whether there may be more to ask for."""

    redriven: int
    skipped: Sequence[Skipped]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Redriver:
    """Starts new generations of stored files. Readers see what they saw until those are whole.

    A generation always begins at the file: of one that failed, nothing is kept that could be gone on with.
    """

    database: Database
    extract_queue: MessageQueue
    clock: Clock

    def reprocess(
        self, organization_id: UUID, bot_id: UUID, document_id: UUID, *, actor_id: UUID | None = None
    ) -> Document:
        """Read the stored object anew, even if its bytes are the same.

        Raises:
            NotFoundError: the tenant has no such bot, or the bot no such document.
            BotArchivedError: the bot is archived.
            DocumentInProgressError: it is being processed, or waits for its upload.
            NoStoredObjectError: there is nothing to be read.
        """
        with self.database.transaction(organization_id, actor_id) as connection:
            document = get_document(connection, bot_id, document_id)
            require_open_bot(connection, bot_id)
            started = self._restart(connection, organization_id, bot_id, [document_id], ("ready", "failed"))
            if not started and document.status in ("ready", "failed"):
                raise NoStoredObjectError("Upload the file again: none of this document is stored.")
            if not started:
                raise DocumentInProgressError("The document is being processed, or waits for its upload.")
            document = get_document(connection, bot_id, document_id)
        self._send(started)
        return document

    def process_again(self, message: ExtractMessage) -> bool:
        """Read a ready document's object anew if its generation is still the message's; return whether it is."""
        with self.database.transaction(message.organization_id) as connection:
            started = self._restart(
                connection,
                message.organization_id,
                message.bot_id,
                [message.document_id],
                ("ready",),
                generation=message.generation,
            )
        self._send(started)
        return bool(started)

    def redrive(
        self,
        organization_id: UUID,
        bot_id: UUID,
        *,
        document_ids: Collection[UUID] | None = None,
        error_codes: Collection[str] | None = None,
        actor_id: UUID | None = None,
    ) -> Redriven:
        """Start failed documents again: those named, or else those whose error says that another try may help.

        Raises:
            NotFoundError: the tenant has no such bot.
            BotArchivedError: the bot is archived.
        """
        values: dict[str, Any] = {
            "bot_id": bot_id,
            "document_ids": None if document_ids is None else list(document_ids),
            "error_codes": None if error_codes is None else list(error_codes),
            "limit": AT_ONCE + 1,
        }
        with self.database.transaction(organization_id, actor_id) as connection:
            require_open_bot(connection, bot_id)
            rows = connection.execute(queries.FAILED_DOCUMENTS, values).fetchall()
            stored = [row["id"] for row in rows if row["has_object"]]
            started = self._restart(connection, organization_id, bot_id, stored[:AT_ONCE], ("failed",))
            note(connection, "bot.redrive", "bot", bot_id, after={"documents": len(started)})
        self._send(started)
        skipped = [Skipped(row["id"], "no_stored_object", row["error_code"]) for row in rows if not row["has_object"]]
        missing = set(document_ids or ()) - {row["id"] for row in rows}
        skipped += [Skipped(document_id, "not_failed") for document_id in sorted(missing)]
        return Redriven(len(started), skipped, has_more=len(stored) > AT_ONCE)

    def _restart(
        self,
        connection: Connection,
        organization_id: UUID,
        bot_id: UUID,
        document_ids: Sequence[UUID],
        statuses: Sequence[str],
        *,
        generation: int | None = None,
    ) -> list[ExtractMessage]:
        """Change the rows; return the messages to be sent after the commit."""
        if not document_ids:
            return []
        now = self.clock.now()
        values = {
            "bot_id": bot_id,
            "document_ids": list(document_ids),
            "statuses": list(statuses),
            "generation": generation,
            "now": now,
            "lease_expires_at": now + PICKUP,
            "deadline_at": now + DEADLINE,
        }
        started = connection.execute(queries.RESTART, values).fetchall()
        for row in started:
            connection.execute(DROP_UNSEEN_CHUNKS, {"document_id": row["id"]})
        if started:
            refresh_bot_status(connection, bot_id, now)
        return [
            ExtractMessage(
                organization_id=organization_id, bot_id=bot_id, document_id=row["id"], generation=row["generation"]
            )
            for row in started
        ]

    def _send(self, messages: Sequence[ExtractMessage]) -> None:
        """Sent after the commit; were they lost, the documents' leases would have them sent again."""
        if messages:
            self.extract_queue.send([message.to_json() for message in messages], group=messages[0].group)
