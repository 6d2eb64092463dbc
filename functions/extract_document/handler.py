"""Reads documents and cuts them into chunks."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.extract import Extractor
from chatsphere.knowledge.ingestion.messages import ExtractMessage
from chatsphere.observability import Metric
from chatsphere.queue_batches import process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Extract the documents of a batch of messages."""
    c = container()
    limit = c.storage_settings.max_upload_bytes
    extractor = Extractor(c.database, c.object_store, c.embed_queue, c.token_counter, c.clock, c.ids, limit)
    return process_batch(
        event, lambda delivery: extractor.extract(ExtractMessage.parse(delivery.body)), Metric.EXTRACT_TIME
    )
