"""Finishes the deletion of documents, bots, organizations and people, and erases what was asked to be erased."""

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
from chatsphere.privacy.part_erasing import PartEraser
from chatsphere.privacy.part_erasures import PartErasures
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.person_erasing import PersonEraser
from chatsphere.privacy.whole_erasures import WholeErasures
from chatsphere.queue_batches import Delivery, process_batch
from chatsphere.transfers.places import delete_files_of_bot


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
            _delete(c, purger, PurgeMessage.parse(delivery.body))

    return process_batch(event, purge, Metric.PURGE_TIME)


def _delete(c: Container, purger: Purger, message: PurgeMessage) -> None:
    purger.purge(message)
    if message.document_id is None:
        delete_files_of_bot(c.archive_store, message.organization_id, message.bot_id)


def _erasures(c: Container, purger: Purger) -> ErasureJob:
    means = Means(
        database=c.database,
        eraser_database=c.eraser_database,
        messages=c.message_vectors,
        purger=purger,
        cache=c.cache,
        archives=c.archive_eraser,
        archive_store=c.archive_store,
        clock=c.clock,
        ids=c.ids,
    )
    payments = None if c.stripe_settings.stripe_api_key is None else c.payments
    organizations = OrganizationEraser(means, c.object_store, c.vector_store, payments)
    wholes = WholeErasures(organizations, PersonEraser(c.eraser_database, c.archive_eraser), c.clock)
    return ErasureJob(c.eraser_database, wholes, PartErasures(PartEraser(means), c.clock), c.clock)
