"""Finishes the deletion of documents, bots, organizations and people."""

from typing import Any

from chatsphere.bootstrap import Container, container
from chatsphere.chat.memory.forgetting import MemoryPurger
from chatsphere.chat.memory.messages import MemoryPurgeMessage, is_about_memory
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import ErasureMessage, PurgeMessage
from chatsphere.knowledge.ingestion.purge import Purger
from chatsphere.observability import Metric
from chatsphere.privacy.erasing import ErasureJob
from chatsphere.privacy.organization_erasing import OrganizationEraser
from chatsphere.privacy.person_erasing import PersonEraser
from chatsphere.queue_batches import Delivery, process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of purge messages."""
    c = container()
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    purger = Purger(c.database, c.object_store, c.vector_store, eraser, c.clock, c.message_vectors)

    def purge(delivery: Delivery) -> None:
        if "erasure_id" in delivery.body:
            _erasures(c, purger).run(ErasureMessage.parse(delivery.body))
        elif is_about_memory(delivery.body):
            memory = MemoryPurger(c.database, c.message_vectors, c.clock)
            memory.purge(MemoryPurgeMessage.parse(delivery.body))
        else:
            purger.purge(PurgeMessage.parse(delivery.body))

    return process_batch(event, purge, Metric.PURGE_TIME)


def _erasures(c: Container, purger: Purger) -> ErasureJob:
    organizations = OrganizationEraser(
        c.eraser_database, c.database, c.object_store, c.vector_store, c.message_vectors, purger
    )
    return ErasureJob(c.eraser_database, organizations, PersonEraser(c.eraser_database), c.clock)
