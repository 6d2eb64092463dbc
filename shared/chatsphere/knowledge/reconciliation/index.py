"""Segments of the lexical index against the passages that are in them."""

from dataclasses import dataclass

from chatsphere.db.database import Database
from chatsphere.knowledge.reconciliation import queries
from chatsphere.knowledge.reconciliation.comparison import Subject
from chatsphere.knowledge.reconciliation.findings import Difference, Findings
from chatsphere.knowledge.retrieval.lexical_index import rebuild_segment


@dataclass(frozen=True, slots=True)
class IndexComparison:
    """Compares all segments of a bot at once: they are few."""

    database: Database

    def page(self, subject: Subject, after: str | None, findings: Findings) -> str | None:  # noqa: ARG002
        """See `Comparison.page`; there is one page."""
        values = {"bot_id": subject.bot_id}
        with self.database.transaction(subject.organization_id) as connection:
            segments = connection.execute(queries.SEGMENTS, values).fetchall()
        findings.looked_at["index_segments"] += len(segments)
        for segment in segments:
            if segment["chunk_count"] != segment["chunks"]:
                if subject.repair:
                    with self.database.transaction(subject.organization_id) as connection:
                        rebuild_segment(connection, subject.bot_id, segment["id"])
                findings.differ(Difference.INDEX_ORPHANED, segment["id"], repaired=subject.repair)
        return None
