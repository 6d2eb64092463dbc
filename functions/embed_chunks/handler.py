"""Turns batches of chunks into vectors, and makes a document live with its last one."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.messages import EmbedMessage
from chatsphere.observability import Metric
from chatsphere.queue_batches import process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Embed the chunks of a batch of messages."""
    c = container()
    embedder = ChunkEmbedder(c.database, c.embedder, c.vector_store, c.clock, c.ids)
    return process_batch(
        event,
        lambda delivery: embedder.embed(EmbedMessage.parse(delivery.body), delivery.receive_count),
        Metric.EMBED_TIME,
    )
