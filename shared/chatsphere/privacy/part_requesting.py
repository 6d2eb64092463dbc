"""Asking for the erasure of a part of an organization. It takes effect at once; a job does the rest."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.bots import publication
from chatsphere.db.database import Connection, Database
from chatsphere.errors import NotFoundError, UnavailableError
from chatsphere.identity.opaque_tokens import new_receipt_token
from chatsphere.knowledge.ingestion.deletion import mark_deleted
from chatsphere.knowledge.ingestion.messages import ErasureMessage
from chatsphere.knowledge.ingestion.receipts import open_deletion
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.privacy import end_users
from chatsphere.privacy import part_requesting_queries as queries
from chatsphere.privacy.model import BOT, DOCUMENT, END_USER, Erasure, Part
from chatsphere.privacy.parts.holding import refuse_part_if_held
from chatsphere.privacy.requesting import Requested
from chatsphere.privacy.subjects import SubjectMark


@dataclass(frozen=True, slots=True)
class PartDesk:
    """Takes requests of a tenant."""

    database: Database
    purge_queue: MessageQueue
    clock: Clock
    ids: Ids

    def request(self, connection: Connection, part: Part, requested_by: UUID) -> Requested:
        """Note in the tenant's transaction that a part is to be erased. From the commit on nobody sees the document or
        the bot, and nothing is written for the end user. `begin` sends the job its message.

        Raises:
            NotFoundError: the tenant has no such bot or document, nor had it.
            LegalHoldError: something of it is held.
        """
        refuse_part_if_held(connection, part)
        subject = self._take_away(connection, part)
        secret, mark, now = new_receipt_token(), SubjectMark.of(subject), self.clock.now()
        erasure = Erasure(
            self.ids.new(), part.kind, "pending", now, None, None, part.organization_id, part.bot_id, mark.salt,
            mark.digest,
        )  # fmt: skip
        values = part.values | {
            "id": erasure.id,
            "kind": part.kind,
            "subject_id": subject if isinstance(subject, UUID) else None,
            "requested_by": requested_by,
            "receipt_hash": secret.hash,
            "now": now,
            "subject_salt": mark.salt,
            "subject_hash": mark.digest,
        }
        connection.execute(queries.INSERT, values)
        if part.kind == END_USER:
            end_users.keep_out(connection, part, erasure.id, None)
        about = {"kind": part.kind} | ({"bot_id": str(part.bot_id)} if part.bot_id else {})
        note(connection, "erasure.requested", "erasure", erasure.id, after=about)
        return Requested(erasure, secret.text)

    def begin(self, erasure: Erasure) -> None:
        """Send the job its message, after the commit; were it lost, the reaper would have it done."""
        message = ErasureMessage(erasure_id=erasure.id)
        with suppress(UnavailableError):
            self.purge_queue.send([message.to_json()], group=message.group)

    def _take_away(self, connection: Connection, part: Part) -> UUID | str:
        """Hide what is to be erased, and return what it is called."""
        if part.kind == BOT:
            assert part.bot_id is not None
            self._take_bot(connection, part)
            return part.bot_id
        if part.bot_id is not None and not connection.execute(queries.HAS_BOT, part.values).fetchone():
            raise NotFoundError("There is no such bot.")
        if part.kind == DOCUMENT:
            assert part.bot_id is not None
            assert part.document_id is not None
            self._take_document(connection, part, part.bot_id, part.document_id)
            return part.document_id
        assert part.end_user_id is not None
        return part.end_user_id

    def _take_bot(self, connection: Connection, part: Part) -> None:
        now = self.clock.now()
        if connection.execute(queries.TAKE_BOT, part.values | {"now": now}).fetchone():
            assert part.bot_id is not None
            publication.keep_in_step(connection, part.bot_id, now)
            open_deletion(connection, part.bot_id, None, now)
        elif not connection.execute(queries.WAS_DELETED, part.values).fetchone():
            raise NotFoundError("There is no such bot, nor was there one.")

    def _take_document(self, connection: Connection, part: Part, bot_id: UUID, document_id: UUID) -> None:
        connection.execute(queries.NAME_CASES, part.values)
        deletion = mark_deleted(connection, bot_id, document_id, self.clock.now())
        if deletion is None and not connection.execute(queries.WAS_DELETED, part.values).fetchone():
            raise NotFoundError("There is no such document, nor was there one.")
