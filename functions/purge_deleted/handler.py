"""Finishes the deletion of documents and bots."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.batches import process_batch
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import PurgeMessage
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.observability import Metric


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of purge messages."""
    c = container()
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    purger = Purger(c.database, c.object_store, c.vector_store, eraser, c.clock)
    return process_batch(event, lambda delivery: purger.purge(PurgeMessage.parse(delivery.body)), Metric.PURGE_TIME)
