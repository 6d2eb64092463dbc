"""Compares the stores of bots, and repairs what does not correspond."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.messages import ReconcileMessage
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.reconciliation.building import Stores, build_reconciler
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Go on with the reconciliations that a batch of messages names."""
    c = container()
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    limit = c.storage_settings.max_upload_bytes
    registrar = Registrar(c.database, c.object_store, c.extract_queue, eraser, c.clock, c.ids, limit)
    redriver = Redriver(c.database, c.extract_queue, c.clock)
    stores = Stores(c.database, c.object_store, c.vector_store)
    reconciler = build_reconciler(stores, registrar, redriver, c.reconcile_queue, c.clock, c.ids)

    def reconcile(delivery: Delivery) -> None:
        reconciler.run(ReconcileMessage.parse(delivery.body))

    return process_batch(event, reconcile, Metric.RECONCILE_TIME)
