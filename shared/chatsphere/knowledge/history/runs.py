"""The history of one document: a run for each time that its content was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.knowledge.documents import get_document
from chatsphere.knowledge.history import queries


@dataclass(frozen=True, slots=True)
class DocumentRun:
    """What became of one generation. `outcome` None: it is under way, at `stage`."""

    id: UUID
    generation: int
    outcome: str | None
    stage: str
    requested_at: datetime
    registered_at: datetime | None
    scanned_at: datetime | None
    extracting_at: datetime | None
    embedding_at: datetime | None
    finished_at: datetime | None
    attempts: int
    error_code: str | None
    retryable: bool | None
    size: int | None
    page_count: int | None
    chunk_count: int | None
    token_count: int | None
    cost_microdollars: int
    embedding_model: str | None

    def seconds(self) -> dict[str, float]:
        """Return how long each stage took that has ended, by its name, and `total` once all has.

        `upload`: from the announcement to the content; `scan`: waiting for its malware scan; `queue`: waiting to be
        read; `extract`, `embed`: from the stage's first beginning to its end, whatever it waited meanwhile.
        """
        came = self.registered_at or self.finished_at
        begun = [
            ("upload", self.requested_at, came),
            ("scan", came if self.scanned_at else None, self.scanned_at),
            ("queue", self.scanned_at or self.registered_at, self.extracting_at or self.embedding_at),
            ("extract", self.extracting_at, self.embedding_at or self.finished_at),
            ("embed", self.embedding_at, self.finished_at),
            ("total", self.requested_at, self.finished_at),
        ]
        return {
            # Times of one run come from the clocks of several machines.
            name: max(0.0, round((end - start).total_seconds(), 3))
            for name, start, end in begun
            if start is not None and end is not None
        }


def runs_page(
    connection: Connection, bot_id: UUID, document_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[DocumentRun]:
    """Return a document's runs after a cursor, newest first: `limit` and one more where there are more.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such document.
    """
    get_document(connection, bot_id, document_id)
    values = {"bot_id": bot_id, "document_id": document_id, "after": after, "limit": limit + 1}
    return [DocumentRun(**row) for row in connection.execute(queries.RUNS_PAGE, values)]
