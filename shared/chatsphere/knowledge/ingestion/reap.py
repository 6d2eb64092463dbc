"""Brings back what nobody is at: lost messages, dead workers, uploads that never came, deletions cut short."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.db.database import Connection, Database
from chatsphere.errors import DocumentError
from chatsphere.knowledge.ingestion import reap_queries as queries
from chatsphere.knowledge.ingestion.errors import DeadlineExceededError, UploadExpiredError
from chatsphere.knowledge.ingestion.messages import (
    ErasureMessage,
    ExtractMessage,
    PurgeMessage,
    ReconcileMessage,
    embed_messages,
)
from chatsphere.knowledge.ingestion.refused import forget_refused
from chatsphere.knowledge.ingestion.register_queries import KEEP_LIVE
from chatsphere.knowledge.ingestion.times import (
    DELETE_LEASE,
    EMBED_LEASE,
    PICKUP,
    PURGE_LEASE,
    QUARANTINE_KEPT,
    RECONCILE_EVERY,
)
from chatsphere.knowledge.ingestion.transitions import fail_document, refresh_bot_status
from chatsphere.knowledge.training.messages import TrainingMessage
from chatsphere.knowledge.training.reviving import RunReviver
from chatsphere.observability import Metric, logger, record
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.queue_batches import describe

MAX_DOCUMENTS: Final = 200
"""Stalled documents of one run."""

MAX_RECONCILIATIONS: Final = 20
"""Reconciliations that one run begins: every five minutes, some 5,700 bots a day."""

MAX_QUARANTINED: Final = 10_000
MAX_CACHED: Final = 10_000
"""Notes of objects that are nobody's."""

MAX_BATCHES: Final = 500
"""Embedding messages for one document in one run."""


@dataclass(frozen=True, slots=True)
class Reaper:
    """Looks across tenants with `reaper_database`, acts as one tenant with `database`."""

    reaper_database: Database
    database: Database
    extract_queue: MessageQueue
    embed_queue: MessageQueue
    purge_queue: MessageQueue
    reconcile_queue: MessageQueue
    clock: Clock
    ids: Ids

    def reap(self) -> int:
        """Bring back or end stalled work, up to a bound; return how many objects that concerned."""
        found = self._find(queries.STALLED_DOCUMENTS)
        for row in found:
            self._try_to_revive(ExtractMessage(**row))
        left = self._find(queries.LEFT_VECTORS) + self._find(queries.DUE_DELETIONS)
        left += self._find(queries.STALLED_BOTS, updated_before=self.clock.now() - PURGE_LEASE)
        for row in left:
            self._purge(PurgeMessage(**row))
        erasures = [ErasureMessage(**row) for row in self._find(queries.STALLED_ERASURES)]
        for erasure in erasures:
            self.purge_queue.send([erasure.to_json()], group=erasure.group)
        runs = [TrainingMessage(**row) for row in self._find(queries.DUE_RUNS)]
        for run in runs:
            self._try_to_revive_run(run)
        self._reconcile()
        self._forget_quarantined()
        self._forget_cached()
        total = len(found) + len(left) + len(erasures) + len(runs)
        if total:
            record(Metric.WORK_REAPED, total)
            logger.info("stalled work found", documents=len(found), purges=len(left), erasures=len(erasures))
        return total

    def _reconcile(self) -> None:
        """Have the bots' stores compared in the background, whose turn it is."""
        started_before = self.clock.now() - RECONCILE_EVERY
        due = self._find(queries.STALLED_RECONCILIATIONS, limit=MAX_RECONCILIATIONS)
        due += self._find(queries.DUE_RECONCILIATIONS, started_before=started_before, limit=MAX_RECONCILIATIONS)
        for message in (ReconcileMessage(**row) for row in due):
            self.reconcile_queue.send([message.to_json()], group=message.group)

    def _forget_quarantined(self) -> None:
        values = {"created_before": self.clock.now() - QUARANTINE_KEPT, "kept": MAX_QUARANTINED, "limit": MAX_DOCUMENTS}
        with self.reaper_database.transaction(None) as connection:
            connection.execute(queries.FORGET_QUARANTINED, values)

    def _forget_cached(self) -> None:
        with self.reaper_database.transaction(None) as connection:
            connection.execute(queries.FORGET_CACHED, {"now": self.clock.now(), "limit": MAX_CACHED})

    def _try_to_revive(self, message: ExtractMessage) -> None:
        try:
            self._revive(message)
        except Exception as error:
            # One document must not keep the reaper from all others; this one is found again by the next run.
            logger.error("document not revived", document_id=str(message.document_id), **describe(error))

    def _try_to_revive_run(self, run: TrainingMessage) -> None:
        try:
            RunReviver(self.database, self.embed_queue, self.clock, self.ids).revive(run)
        except Exception as error:
            logger.error("training run not revived", training_run_id=str(run.training_run_id), **describe(error))

    def _find(self, query: str, **values: Any) -> list[dict[str, Any]]:
        with self.reaper_database.transaction(None) as connection:
            return connection.execute(query, {"now": self.clock.now(), "limit": MAX_DOCUMENTS} | values).fetchall()

    def _revive(self, message: ExtractMessage) -> None:
        """Decide and commit, then send: were the message lost, the lease would have it sent once more."""
        now = self.clock.now()
        values = message.model_dump() | {"now": now, "limit": MAX_BATCHES}
        with self.database.transaction(message.organization_id) as connection:
            document = connection.execute(queries.HOLD_STALLED, values).fetchone()
            if document is None:
                return
            batches = self._decide(connection, message, values | document)
        if document["status"] == "deleting":
            self._purge(PurgeMessage(**message.model_dump()))
        elif batches is None:
            return
        elif document["status"] == "embedding":
            self.embed_queue.send(embed_messages(message, batches), group=message.group)
        else:
            self.extract_queue.send([message.to_json()], group=message.group)

    def _decide(
        self, connection: Connection, message: ExtractMessage, values: Mapping[str, Any]
    ) -> Iterable[int] | None:
        """Change the row; return None where nothing is to be sent, and which batches to embed, if any."""
        now = values["now"]
        if values["status"] == "deleting":
            connection.execute(queries.EXTEND_LEASE, {**values, "lease_expires_at": now + DELETE_LEASE})
            return None
        if values["stage"] == "upload" or (values["deadline_at"] is not None and values["deadline_at"] <= now):
            self._end(connection, message, values)
            return None
        if values["status"] == "embedding":
            connection.execute(queries.RESUME_EMBEDDING, {**values, "lease_expires_at": now + EMBED_LEASE})
            missing = [row["batch"] for row in connection.execute(queries.MISSING_BATCHES, values)]
            # With none missing, any batch finds that it is the last one.
            return missing or [0]
        connection.execute(queries.REQUEUE_EXTRACTION, {**values, "lease_expires_at": now + PICKUP})
        return []

    def _end(self, connection: Connection, message: ExtractMessage, values: Mapping[str, Any]) -> None:
        """The time is over. What readers saw before an upload that never came goes on as it was."""
        awaited = values["stage"] == "upload"
        if awaited and values["live_generation"] is not None:
            connection.execute(KEEP_LIVE, values)
            refresh_bot_status(connection, message.bot_id, values["now"])
            return
        error: DocumentError = UploadExpiredError() if awaited else DeadlineExceededError()
        fail_document(connection, message.document_id, message.generation, error, now=values["now"], ids=self.ids)
        if awaited:
            forget_refused(connection, message.bot_id)

    def _purge(self, message: PurgeMessage) -> None:
        self.purge_queue.send([message.to_json()], group=message.group)
