"""Documents that are ready against their passages, lexical index and vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.knowledge.embedding import bot_embedding
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.vector_cleanup import VectorCleanup
from chatsphere.knowledge.ingestion.work_queries import LEAVE_VECTORS
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.comparison import Subject
from chatsphere.knowledge.reconciliation.findings import Difference, Findings
from chatsphere.knowledge.retrieval.lexical_index import index_document
from chatsphere.ports.system import Clock
from chatsphere.ports.vectors import VectorStore

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class DocumentComparison:
    """Compares in the order of the documents' ids. A generation under way is left alone: it will be whole, or fail."""

    database: Database
    vectors: VectorStore
    redriver: Redriver
    clock: Clock

    def page(self, subject: Subject, after: str | None, findings: Findings) -> str | None:
        """See `Comparison.page`; a place is a document's id."""
        values = {"bot_id": subject.bot_id, "after": after, "limit": PAGE, "now": self.clock.now()}
        with self.database.transaction(subject.organization_id) as connection:
            rows = connection.execute(queries.DOCUMENTS_WITHIN, values).fetchall()
        for row in rows:
            findings.looked_at["documents"] += 1
            if row["stuck"]:
                self._wake(subject, row, findings)
            elif row["settled"]:
                self._look_into(subject, row, findings)
        return str(rows[-1]["id"]) if len(rows) == PAGE else None

    def _look_into(self, subject: Subject, row: Mapping[str, Any], findings: Findings) -> None:
        findings.looked_at["chunks"] += row["chunks"]
        if row["chunks"] != row["chunk_count"]:
            findings.differ(Difference.CHUNKS_MISSING, row["id"], repaired=self._process_again(subject, row))
            return
        if row["indexed"] != row["chunks"] or row["formerly_indexed"]:
            findings.differ(Difference.INDEX_INCOMPLETE, row["id"], repaired=self._index(subject, row))
        vectors = self.vectors.count(subject.namespace, row["id"])
        findings.looked_at["vectors"] += vectors
        if vectors != row["chunks"] and not self._is_searched(subject):
            return
        if vectors < row["chunks"]:
            findings.differ(Difference.VECTORS_MISSING, row["id"], repaired=self._process_again(subject, row))
        elif vectors > row["chunks"] and row["vector_cleanup_due"] is None:
            findings.differ(Difference.VECTORS_SURPLUS, row["id"], repaired=self._clean(subject, row))

    def _process_again(self, subject: Subject, row: Mapping[str, Any]) -> bool:
        """Have the stored object read anew: readers keep what they have until the new generation is whole."""
        if not subject.repair or row["status"] != "ready":
            return False
        message = ExtractMessage(
            organization_id=subject.organization_id,
            bot_id=subject.bot_id,
            document_id=row["id"],
            generation=row["generation"],
        )
        return self.redriver.process_again(message)

    def _index(self, subject: Subject, row: Mapping[str, Any]) -> bool:
        if not subject.repair:
            return False
        with self.database.transaction(subject.organization_id) as connection:
            if held := self._hold(connection, row):
                index_document(connection, subject.bot_id, row["id"], row["live_generation"])
        return held

    def _clean(self, subject: Subject, row: Mapping[str, Any]) -> bool:
        if not subject.repair:
            return False
        with self.database.transaction(subject.organization_id) as connection:
            if held := self._hold(connection, row):
                connection.execute(LEAVE_VECTORS, {"document_id": row["id"], "now": self.clock.now()})
        if held:
            VectorCleanup(self.database, self.vectors, self.clock).run(subject.namespace, row["id"])
        return held

    def _is_searched(self, subject: Subject) -> bool:
        """Return whether readers still search this namespace: the vectors of a former revision go at any time."""
        with self.database.transaction(subject.organization_id) as connection:
            return bot_embedding(connection, subject.organization_id, subject.bot_id).namespace == subject.namespace

    def _wake(self, subject: Subject, row: Mapping[str, Any], findings: Findings) -> None:
        """Let the reaper find it."""
        if subject.repair:
            values = {"document_id": row["id"], "now": self.clock.now()}
            with self.database.transaction(subject.organization_id) as connection:
                connection.execute(queries.WAKE_DOCUMENT, values)
        findings.differ(Difference.DOCUMENT_STUCK, row["id"], repaired=subject.repair)

    def _hold(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        """Hold the document if it is as it was seen; nothing is repaired for what has moved on."""
        values: dict[str, UUID | int] = {"document_id": row["id"], "generation": row["generation"]}
        return connection.execute(queries.HOLD_SETTLED, values).fetchone() is not None
