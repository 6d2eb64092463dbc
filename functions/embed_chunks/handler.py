"""Turns batches of chunks into vectors, and makes a document live with its last one; goes on with training runs; embeds
the messages of conversations.
"""

from typing import Any

from chatsphere.bootstrap import Container, container
from chatsphere.chat.memory.keeping import MemoryKeeper
from chatsphere.chat.memory.messages import MemoryMessage, is_about_memory
from chatsphere.knowledge.ingestion.embed import ChunkEmbedder
from chatsphere.knowledge.ingestion.messages import EmbedMessage
from chatsphere.knowledge.training.advance import RunAdvancer
from chatsphere.knowledge.training.messages import ReembedMessage, TrainingMessage
from chatsphere.knowledge.training.reembed import BatchReembedder
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Embed the chunks of a batch of messages."""
    c = container()
    embedder = ChunkEmbedder(c.database, c.embedder_for, c.vector_store, c.clock, c.ids)

    def embed(delivery: Delivery) -> None:
        if is_about_memory(delivery.body):
            _remember(c, delivery)
        elif "training_run_id" in delivery.body:
            _go_on(c, delivery)
        else:
            embedder.embed(EmbedMessage.parse(delivery.body), delivery.receive_count)

    return process_batch(event, embed, Metric.EMBED_TIME)


def _remember(c: Container, delivery: Delivery) -> None:
    keeper = MemoryKeeper(c.database, c.embedder_for, c.message_vectors, c.embed_queue, c.clock, c.ids)
    keeper.work(MemoryMessage.parse(delivery.body))


def _go_on(c: Container, delivery: Delivery) -> None:
    advancer = RunAdvancer(c.database, c.vector_store, c.embed_queue, c.clock, c.ids)
    if "batch" in delivery.body:
        BatchReembedder(advancer, c.embedder_for).embed(ReembedMessage.parse(delivery.body), delivery.receive_count)
    else:
        advancer.advance(TrainingMessage.parse(delivery.body))
