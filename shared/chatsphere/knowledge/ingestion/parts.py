"""One part of a document's extraction: batches of chunks, each committed with the bookmark behind it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from psycopg.types.json import Jsonb

from chatsphere.db.database import Database
from chatsphere.errors import EmptyDocumentError, ExtractionLimitError
from chatsphere.knowledge.chunking import Chunker, Pending
from chatsphere.knowledge.extraction import Extraction
from chatsphere.knowledge.extraction.language import language_of
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.bookmarks import Cutter, MakeCutter, Passages, Progress
from chatsphere.knowledge.ingestion.leases import ExtractionLease, require_row
from chatsphere.knowledge.ingestion.messages import ExtractMessage, embed_messages, vector_id
from chatsphere.knowledge.ingestion.times import BATCH_TIME, PICKUP
from chatsphere.knowledge.redaction.masking import Mask, nothing_masked
from chatsphere.knowledge.retrieval.lexical_index import SEGMENT_CHUNKS, index_ahead
from chatsphere.knowledge.text import Chunk
from chatsphere.observability import logger
from chatsphere.ports.embedding import TokenCounter
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids

BATCH_CHUNKS: Final = 64
"""Chunks in one embedding message, and in memory at a time."""

SENT_TOGETHER: Final = 10
"""Messages that a queue takes in one request."""

MAX_CHUNK_TOKENS: Final = 254
"""What the smallest embedder takes, 256 tokens, less the two marks that it puts around a text."""

MakeTokenCutter = Callable[[TokenCounter, Pending], Cutter]


def product_cutter(tokens: TokenCounter, pending: Pending) -> Cutter:
    """Cut as the product does."""
    return Chunker(tokens.count_tokens, max_tokens=MAX_CHUNK_TOKENS, pending=pending)


@dataclass(slots=True)
class Part:
    """The reading of one part under a lease. It ends `ends_after` its first batch, or at `latest`; a part that has no
    batch by then fails.

    A batch may be embedded as soon as it is committed. Only the last one must wait until the number of batches is
    known, so that it is embedding which makes the document live; which one it is shows at the end.
    """

    database: Database
    embed_queue: MessageQueue
    clock: Clock
    ids: Ids
    message: ExtractMessage
    lease: ExtractionLease
    progress: Progress
    ends_after: timedelta
    latest: datetime
    mask: Mask = nothing_masked

    def read(self, extraction: Extraction, make_cutter: MakeCutter) -> bool:
        """Read on until the part or the document ends; return whether it is the document.

        Raises:
            DocumentError: why the document cannot be read.
            LeaseLostError: it is somebody else's now.
            UnavailableError: the database or the queue does not answer.
            WorkOverBudgetError: the budget has no room for the next page; what was read before it is kept.
        """
        passages = Passages(extraction, make_cutter, self.progress.bookmark, self.mask)
        unread_before = self.progress.unread_pages
        self.progress = replace(self.progress, page_count=extraction.page_count)
        ends: datetime | None = None
        while batch := self._batch(passages):
            if ends is None:
                ends = self._end()
            self._keep(batch, passages, unread_before + extraction.unread_pages)
            if self.progress.chunk_count - self.progress.indexed_chunks >= SEGMENT_CHUNKS:
                self._index_ahead()
            if self.clock.now() >= ends:
                return False
        if passages.refusal:
            self._put_aside(passages, unread_before + extraction.unread_pages)
            raise passages.refusal
        if self.progress.batch_count == 0:
            raise EmptyDocumentError("The file holds no text.")
        self.progress = replace(self.progress, unread_pages=unread_before + extraction.unread_pages)
        return True

    def _batch(self, passages: Passages) -> list[Chunk]:
        """The next chunks; fewer than a whole batch where their pages take long, as OCR does."""
        batch: list[Chunk] = []
        ends = self.clock.now() + BATCH_TIME
        for chunk in islice(passages, BATCH_CHUNKS):
            batch.append(chunk)
            if self.clock.now() >= ends:
                break
        return batch

    def pass_on(self) -> None:
        """Leave the rest of the document to whoever comes next."""
        self._send(self.progress.batch_count - 1)
        self.lease.pass_on(self.progress)
        logger.info("document read in part", **self._described())

    def finish(self, media_type: str) -> None:
        """Hand the document over to embedding. If sending fails after that, the lease has the batches sent again."""
        now = self.clock.now()
        values = self.lease.values | {
            "now": now,
            "lease_expires_at": now + PICKUP,
            "batches": self.progress.batch_count,
            "sha256": self.progress.sha256,
            "page_count": self.progress.page_count,
            "unread_pages": self.progress.unread_pages,
            "content_type": media_type,
        }
        with self.database.transaction(self.message.organization_id) as connection:
            require_row(connection.execute(queries.FINISH_EXTRACTION, values).rowcount)
            connection.execute(queries.READ_TO_THE_END, values)
        logger.info("document extracted", **self._described())
        self._send(self.progress.batch_count)

    def _end(self) -> datetime:
        """When the part ends: what was read anew, of a format that begins at its beginning, is not charged to it."""
        now = self.clock.now()
        if now > self.latest:
            raise ExtractionLimitError
        return min(now + self.ends_after, self.latest)

    def _keep(self, batch: list[Chunk], passages: Passages, unread_pages: int) -> None:
        values = self.lease.values | {
            "batch": self.progress.batch_count,
            "language": language_of(chunk.content for chunk in batch),
            "now": self.clock.now(),
            "chunks": self._rows(batch),
        }
        progress = replace(
            self.progress,
            bookmark=passages.bookmark,
            pages_read=batch[-1].page_end,
            unread_pages=unread_pages,
            chunk_count=self.progress.chunk_count + len(batch),
            batch_count=self.progress.batch_count + 1,
        )
        with self.database.transaction(self.message.organization_id) as connection:
            self.lease.keep(connection, progress, len(batch))
            connection.execute(queries.INSERT_CHUNKS, values)
        self.progress = progress
        if progress.batch_count - 1 - progress.sent_batches >= SENT_TOGETHER:
            self._send(progress.batch_count - 1)

    def _put_aside(self, passages: Passages, unread_pages: int) -> None:
        """Keep the place, with text that is no whole chunk yet: the pages that it is of were paid for."""
        self._send(self.progress.batch_count - 1)
        self.progress = replace(self.progress, bookmark=passages.bookmark, unread_pages=unread_pages)
        with self.database.transaction(self.message.organization_id) as connection:
            self.lease.keep(connection, self.progress, 0)

    def _rows(self, batch: list[Chunk]) -> Jsonb:
        return Jsonb(
            [
                asdict(chunk) | {"id": str(self.ids.new()), "vector_id": vector_id(self.message, chunk.ordinal)}
                for chunk in batch
            ]
        )

    def _index_ahead(self) -> None:
        """Do now what would have readers wait when the document goes live."""
        message = self.message
        progress = replace(self.progress, indexed_chunks=self.progress.chunk_count)
        with self.database.transaction(message.organization_id) as connection:
            self.lease.keep(connection, progress, 0)
            index_ahead(connection, message.bot_id, message.document_id, message.generation)
        self.progress = progress

    def _send(self, batches: int) -> None:
        """Have the batches before this number embedded that were not sent yet."""
        unsent = range(self.progress.sent_batches, batches)
        if unsent:
            self.embed_queue.send(embed_messages(self.message, unsent), group=self.message.group)
            self.progress = replace(self.progress, sent_batches=batches)

    def _described(self) -> dict[str, Any]:
        return {
            "document_id": str(self.message.document_id),
            "generation": self.message.generation,
            "batches": self.progress.batch_count,
        }
