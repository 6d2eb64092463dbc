"""Stage 2: a document's file is read in a child process and cut into chunks, which nobody sees yet.

A large document is read in parts. After each of them its message is sent again, so that others get their turn;
whoever takes it up goes on where the part ended.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from chatsphere.billing.work import PaidWork, WorkOverBudgetError
from chatsphere.db.database import Database
from chatsphere.errors import DocumentError, NotFoundError, UnavailableError
from chatsphere.knowledge.extraction import Extraction, ExtractionLimits, extract_file
from chatsphere.knowledge.ingestion import work_queries as queries
from chatsphere.knowledge.ingestion.bookmarks import Progress
from chatsphere.knowledge.ingestion.budget_waits import await_budget_for_reading
from chatsphere.knowledge.ingestion.decisions import TYPE_DECIDES
from chatsphere.knowledge.ingestion.errors import (
    LeaseLostError,
    MalwareFoundError,
    MalwareScanFailedError,
    ObjectMissingError,
    ProcessingError,
)
from chatsphere.knowledge.ingestion.leases import Claimed, ExtractionLease, require_row
from chatsphere.knowledge.ingestion.messages import ExtractMessage, embed_messages
from chatsphere.knowledge.ingestion.object_keys import ObjectKey
from chatsphere.knowledge.ingestion.paid_ocr import PaidOcr
from chatsphere.knowledge.ingestion.parts import MakeTokenCutter, Part, product_cutter
from chatsphere.knowledge.ingestion.scanning import ScannedObject, ScanWaits, await_scan
from chatsphere.knowledge.ingestion.times import EXTRACT_TIME, MAX_ATTEMPTS, PART_TIME
from chatsphere.knowledge.ingestion.transitions import fail_document, refresh_bot_status
from chatsphere.knowledge.redaction.masking import MakeFinder, masking, no_finder
from chatsphere.observability import logger
from chatsphere.ports.embedding import TokenCounter
from chatsphere.ports.objects import ObjectStore, StoredObject
from chatsphere.ports.ocr import Ocr
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.uploads import MalwareScanner, ScanVerdict
from chatsphere.queue_batches import describe

ReadFile = Callable[..., Extraction]


def extraction_limits(ocr_pages: int = 0) -> ExtractionLimits:
    """The limits of the product; `ocr_pages` is how many scanned pages of a document are read."""
    return ExtractionLimits(ocr_pages=ocr_pages, wall_seconds=EXTRACT_TIME.total_seconds())


@dataclass(frozen=True, slots=True)
class Extractor:
    """Reads documents, each in parts. `max_bytes` is the largest file that is downloaded.

    With a `scanner` nothing is read that was not found free of malware, whatever sent the message. Each page that `ocr`
    reads costs so many micro-dollars of the organization's budget.
    """

    database: Database
    objects: ObjectStore
    embed_queue: MessageQueue
    extract_queue: MessageQueue
    tokens: TokenCounter
    clock: Clock
    ids: Ids
    max_bytes: int
    limits: ExtractionLimits = field(default_factory=extraction_limits)
    read: ReadFile = extract_file
    make_cutter: MakeTokenCutter = product_cutter
    part_time: timedelta = PART_TIME
    scanner: MalwareScanner | None = None
    ocr: Ocr | None = None
    ocr_page_microdollars: int = 0
    personal_data: MakeFinder = no_finder

    def extract(self, message: ExtractMessage, receive_count: int = 1) -> None:
        """Read a part of the generation that the message names, unless that is done, overtaken or under way.

        Raises:
            NotNowError: somebody else is reading it.
            UnavailableError: something does not answer; the message must come again.
        """
        lease = ExtractionLease(self.database, self.clock, message, self.ids.new())
        claimed = lease.claim(receive_count)
        if claimed is None:
            if receive_count > 1:
                self._send_rest(message)
            return
        try:
            self._work(message, lease, claimed)
        except DocumentError as error:
            self._fail(message, error)
        except LeaseLostError:
            logger.info("extraction overtaken", document_id=str(message.document_id), generation=message.generation)
        except WorkOverBudgetError as refusal:
            await_budget_for_reading(self.database, message, lease.values, refusal.needed, self.clock.now())
        except UnavailableError:
            lease.release(counted=False)
            raise
        except Exception as error:
            self._give_up_or_back(message, lease, error)
            raise

    def _work(self, message: ExtractMessage, lease: ExtractionLease, claimed: Claimed) -> None:
        if lease.attempts > MAX_ATTEMPTS:
            raise ProcessingError
        if not self._is_clean(claimed):
            await_scan(self.database, message, lease.values, self.clock.now())
            if self._is_clean(claimed):
                # Reported in between, when nobody waited for it yet.
                ScanWaits(self.database, self.extract_queue, self.clock).end(ScannedObject(claimed.key))
            return
        latest = self.clock.now() + EXTRACT_TIME
        with TemporaryDirectory(prefix="chatsphere-") as folder:
            path = Path(folder) / "document"
            stored = self._download(claimed, path)
            if claimed.version_id is None and not self._is_clean(claimed):
                # The verdict was of no version: another object may have come between it and the download.
                await_scan(self.database, message, lease.values, self.clock.now())
                return
            lease.renew()
            if stored.etag != claimed.etag:
                lease.note_object(stored.etag)
            progress = claimed.progress or Progress(stored.etag, _sha256(path))
            if claimed.progress is None and progress.sha256 == claimed.live_sha256:
                self._keep_unchanged(message, lease)
                return
            part = Part(
                self.database, self.embed_queue, self.clock, self.ids, message, lease, progress,
                ends_after=self.part_time, latest=latest, mask=masking(claimed.redaction, self.personal_data),
            )  # fmt: skip
            extraction = self._open(path, claimed, stored, lease, progress, self._ocr_of(message))
            with extraction:
                finished = part.read(extraction, lambda pending: self.make_cutter(self.tokens, pending))
        if finished:
            part.finish(extraction.media_type)
        else:
            part.pass_on()
            self.extract_queue.send([message.to_json()], group=message.group)

    def _send_rest(self, message: ExtractMessage) -> None:
        """Send what a worker did not that was killed when it had handed the document over to embedding."""
        with self.database.transaction(message.organization_id) as connection:
            rows = connection.execute(queries.UNSENT_BATCHES, message.model_dump()).fetchall()
        if rows:
            batches = [row["batch"] for row in rows]
            self.embed_queue.send(embed_messages(message, batches), group=message.group)

    def _is_clean(self, claimed: Claimed) -> bool:
        """Return whether the object may be read; False where its scan has not ended."""
        verdict = self.scanner.verdict(claimed.key, claimed.version_id) if self.scanner else ScanVerdict.CLEAN
        if verdict is ScanVerdict.INFECTED:
            raise MalwareFoundError
        if verdict is ScanVerdict.NOT_SCANNED:
            raise MalwareScanFailedError
        return verdict is ScanVerdict.CLEAN

    def _download(self, claimed: Claimed, path: Path) -> StoredObject:
        """Fetch the object; what was begun to be read must not be gone on with in another one."""
        try:
            stored = self.objects.download(claimed.key, claimed.version_id, path, max_bytes=self.max_bytes)
        except NotFoundError:
            raise ObjectMissingError from None
        if claimed.progress is not None and stored.etag != claimed.progress.etag:
            raise ObjectMissingError
        return stored

    def _open(
        self,
        path: Path,
        claimed: Claimed,
        stored: StoredObject,
        lease: ExtractionLease,
        progress: Progress,
        ocr: Ocr | None,
    ) -> Extraction:
        return self.read(
            path,
            name="" if TYPE_DECIDES in stored.metadata else ObjectKey.parse(claimed.key).name,
            declared_type=stored.content_type,
            limits=self.limits,
            position=progress.bookmark.position,
            on_progress=lease.renew,
            ocr=ocr,
        )

    def _ocr_of(self, message: ExtractMessage) -> Ocr | None:
        """What reads the document's scanned pages at its organization's expense."""
        if self.ocr is None or not self.ocr_page_microdollars:
            return self.ocr
        return PaidOcr(self.ocr, self.ocr_page_microdollars, PaidWork(self.database, self.clock, self.ids), message)

    def _keep_unchanged(self, message: ExtractMessage, lease: ExtractionLease) -> None:
        now = self.clock.now()
        with self.database.transaction(message.organization_id) as connection:
            require_row(connection.execute(queries.KEEP_UNCHANGED, lease.values | {"now": now}).rowcount)
            refresh_bot_status(connection, message.bot_id, now)
        logger.info("document unchanged", document_id=str(message.document_id), generation=message.generation)

    def _fail(self, message: ExtractMessage, error: DocumentError) -> None:
        with self.database.transaction(message.organization_id) as connection:
            fail_document(
                connection, message.document_id, message.generation, error, now=self.clock.now(), ids=self.ids
            )

    def _give_up_or_back(self, message: ExtractMessage, lease: ExtractionLease, error: Exception) -> None:
        logger.error("extraction failed", document_id=str(message.document_id), **describe(error))
        if lease.attempts >= MAX_ATTEMPTS:
            self._fail(message, ProcessingError())
        else:
            lease.release(counted=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
