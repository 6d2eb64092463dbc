"""Reads documents and cuts them into chunks."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.extract import Extractor, extraction_limits
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.observability import Metric
from chatsphere.queue_batches import process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Extract the documents of a batch of messages."""
    c = container()
    limit = c.storage_settings.max_upload_bytes
    extractor = Extractor(
        c.database, c.object_store, c.embed_queue, c.extract_queue, c.token_counter, c.clock, c.ids, limit,
        limits=extraction_limits(ocr_pages=c.ocr_settings.ocr_max_pages),
        scanner=c.malware_scanner,
        ocr=c.ocr,
        ocr_page_microdollars=c.ocr_settings.page_microdollars,
        personal_data=lambda: c.personal_data,
    )  # fmt: skip
    return process_batch(
        event,
        lambda delivery: extractor.extract(ExtractMessage.parse(delivery.body), delivery.receive_count),
        Metric.EXTRACT_TIME,
    )
