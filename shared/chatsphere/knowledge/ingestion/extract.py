"""Stage 2: a document's file is read in a child process and cut into chunks, which nobody sees yet."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from chatsphere.db.database import Database
from chatsphere.errors import DocumentError, EmptyDocumentError, ExtractionLimitError, NotFoundError, UnavailableError
from chatsphere.knowledge.chunking import chunk_blocks
from chatsphere.knowledge.extraction import Extraction, ExtractionLimits, extract_file
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.errors import (
    LeaseLostError,
    ObjectMissingError,
    ProcessingError,
)
from chatsphere.knowledge.ingestion.leases import Claimed, ExtractionLease, require_row
from chatsphere.knowledge.ingestion.messages import ExtractMessage, embed_messages, vector_id
from chatsphere.knowledge.ingestion.times import EXTRACT_TIME, MAX_ATTEMPTS, PICKUP
from chatsphere.knowledge.ingestion.transitions import fail_document, refresh_bot_status
from chatsphere.knowledge.text import Block, Chunk
from chatsphere.observability import logger
from chatsphere.ports import Clock, Ids, MessageQueue, ObjectStore, StoredObject, TokenCounter
from chatsphere.queue_batches import describe

BATCH_CHUNKS: Final = 64
"""Chunks in one embedding message, and in memory at a time."""

MAX_CHUNK_TOKENS: Final = 254
"""What the smallest embedder takes, 256 tokens, less the two marks that it puts around a text."""

ReadFile = Callable[..., Extraction]
CutBlocks = Callable[[Iterable[Block], TokenCounter], Iterator[Chunk]]


def cut_blocks(blocks: Iterable[Block], tokens: TokenCounter) -> Iterator[Chunk]:
    """Cut as the product does."""
    return chunk_blocks(blocks, count_tokens=tokens.count_tokens, max_tokens=MAX_CHUNK_TOKENS)


def _limits() -> ExtractionLimits:
    return ExtractionLimits(wall_seconds=EXTRACT_TIME.total_seconds())


@dataclass(frozen=True, slots=True)
class Extractor:
    """Reads documents. `max_bytes` is the largest file that is downloaded."""

    database: Database
    objects: ObjectStore
    embed_queue: MessageQueue
    tokens: TokenCounter
    clock: Clock
    ids: Ids
    max_bytes: int
    limits: ExtractionLimits = field(default_factory=_limits)
    read: ReadFile = extract_file
    cut: CutBlocks = cut_blocks

    def extract(self, message: ExtractMessage) -> None:
        """Read the generation that the message names, unless that is done, overtaken or under way.

        Raises:
            NotNowError: somebody else is reading it.
            UnavailableError: something does not answer; the message must come again.
        """
        lease = ExtractionLease(self.database, self.clock, message, self.ids.new())
        claimed = lease.claim()
        if claimed is None:
            return
        try:
            batches = self._work(message, lease, claimed)
        except DocumentError as error:
            self._fail(message, error)
        except LeaseLostError:
            logger.info("extraction overtaken", document_id=str(message.document_id), generation=message.generation)
        except UnavailableError:
            lease.release(counted=False)
            raise
        except Exception as error:
            self._give_up_or_back(message, lease, claimed, error)
            raise
        else:
            self._send(message, batches)

    def _work(self, message: ExtractMessage, lease: ExtractionLease, claimed: Claimed) -> int:
        """Read the file and keep its chunks; return the number of batches, 0 where nothing has changed."""
        if claimed.attempts > MAX_ATTEMPTS:
            raise ProcessingError
        with TemporaryDirectory(prefix="chatsphere-") as folder:
            path = Path(folder) / "document"
            stored = self._download(claimed, path)
            lease.renew()
            sha256 = _sha256(path)
            if sha256 == claimed.live_sha256:
                self._keep_unchanged(message, lease)
                return 0
            return self._read(message, lease, claimed, path, {"sha256": sha256, "declared": stored.content_type})

    def _download(self, claimed: Claimed, path: Path) -> StoredObject:
        try:
            return self.objects.download(claimed.key, claimed.version_id, path, max_bytes=self.max_bytes)
        except NotFoundError:
            raise ObjectMissingError from None

    def _read(
        self, message: ExtractMessage, lease: ExtractionLease, claimed: Claimed, path: Path, found: dict[str, Any]
    ) -> int:
        extraction = self.read(
            path, name=claimed.name, declared_type=found["declared"], limits=self.limits, on_progress=lease.renew
        )
        batches, latest = 0, self.clock.now() + EXTRACT_TIME
        with extraction:
            chunks = self.cut(extraction.blocks, self.tokens)
            while batch := list(islice(chunks, BATCH_CHUNKS)):
                if self.clock.now() > latest:
                    raise ExtractionLimitError
                self._keep_chunks(message, lease, batches, batch)
                batches += 1
        if batches == 0:
            raise EmptyDocumentError("The file holds no text.")
        values = {
            "batches": batches,
            "sha256": found["sha256"],
            "page_count": extraction.page_count,
            "content_type": extraction.media_type,
        }
        self._finish(message, lease, values)
        return batches

    def _keep_chunks(self, message: ExtractMessage, lease: ExtractionLease, batch: int, chunks: list[Chunk]) -> None:
        rows = [self._chunk_values(message, batch, chunk) for chunk in chunks]
        with self.database.transaction(message.organization_id) as connection:
            lease.hold(connection)
            with connection.cursor() as cursor:
                cursor.executemany(queries.INSERT_CHUNK, rows)

    def _chunk_values(self, message: ExtractMessage, batch: int, chunk: Chunk) -> dict[str, Any]:
        return {
            "id": self.ids.new(),
            "bot_id": message.bot_id,
            "document_id": message.document_id,
            "generation": message.generation,
            "batch": batch,
            "ordinal": chunk.ordinal,
            "content": chunk.content,
            "heading_path": list(chunk.heading_path),
            "page_start": chunk.page_start,
            "page_end": chunk.page_end,
            "char_start": chunk.char_start,
            "char_end": chunk.char_end,
            "token_count": chunk.token_count,
            "vector_id": vector_id(message, chunk.ordinal),
            "now": self.clock.now(),
        }

    def _finish(self, message: ExtractMessage, lease: ExtractionLease, values: dict[str, Any]) -> None:
        now = self.clock.now()
        values = values | lease.values | {"now": now, "lease_expires_at": now + PICKUP}
        with self.database.transaction(message.organization_id) as connection:
            require_row(connection.execute(queries.FINISH_EXTRACTION, values).rowcount)
        logger.info(
            "document extracted",
            document_id=str(message.document_id),
            generation=message.generation,
            batches=values["batches"],
        )

    def _keep_unchanged(self, message: ExtractMessage, lease: ExtractionLease) -> None:
        now = self.clock.now()
        with self.database.transaction(message.organization_id) as connection:
            require_row(connection.execute(queries.KEEP_UNCHANGED, lease.values | {"now": now}).rowcount)
            refresh_bot_status(connection, message.bot_id, now)
        logger.info("document unchanged", document_id=str(message.document_id), generation=message.generation)

    def _send(self, message: ExtractMessage, batches: int) -> None:
        """Sent after the commit; if this fails, the document's lease has them sent again."""
        self.embed_queue.send(embed_messages(message, range(batches)), group=message.group)

    def _fail(self, message: ExtractMessage, error: DocumentError) -> None:
        with self.database.transaction(message.organization_id) as connection:
            fail_document(
                connection, message.document_id, message.generation, error, now=self.clock.now(), ids=self.ids
            )

    def _give_up_or_back(
        self, message: ExtractMessage, lease: ExtractionLease, claimed: Claimed, error: Exception
    ) -> None:
        logger.error("extraction failed", document_id=str(message.document_id), **describe(error))
        if claimed.attempts >= MAX_ATTEMPTS:
            self._fail(message, ProcessingError())
        else:
            lease.release(counted=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
