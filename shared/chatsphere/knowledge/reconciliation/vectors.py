"""Vectors of the store against documents: what a deletion may have missed."""

from dataclasses import dataclass
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.comparison import Subject
from chatsphere.knowledge.reconciliation.findings import Difference, Findings
from chatsphere.ports.vectors import VectorStore


@dataclass(frozen=True, slots=True)
class VectorComparison:
    """Compares in the store's own order."""

    database: Database
    vectors: VectorStore

    def page(self, subject: Subject, after: str | None, findings: Findings) -> str | None:
        """See `Comparison.page`; a place is the store's."""
        listed = self.vectors.documents(subject.namespace, after=after)
        findings.looked_at["documents_with_vectors"] += len(listed.documents)
        for document_id in sorted(self._unknown(subject, listed.documents)):
            # A document's row is there before its first vector, and its id is never another's: this is nobody's.
            if subject.repair:
                self.vectors.delete_document(subject.namespace, document_id)
            findings.differ(Difference.VECTORS_ORPHANED, document_id, repaired=subject.repair)
        return listed.next_place

    def _unknown(self, subject: Subject, listed: frozenset[UUID]) -> frozenset[UUID]:
        if not listed:
            return listed
        values = {"bot_id": subject.bot_id, "document_ids": list(listed)}
        with self.database.transaction(subject.organization_id) as connection:
            return listed - {row["id"] for row in connection.execute(queries.KNOWN_DOCUMENTS, values)}
