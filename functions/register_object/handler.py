"""Registers objects that appeared in the uploads bucket, or disappeared from it, or were scanned for malware."""

from typing import Any

from chatsphere.bootstrap import container
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.events import parse_events
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.ingestion.scanning import ScannedObject, ScanWaits
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of S3's notifications and of scan results from the intake queue."""
    c = container()
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    limit = c.storage_settings.max_upload_bytes
    registrar = Registrar(c.database, c.object_store, c.extract_queue, eraser, c.clock, c.ids, limit)

    def register(delivery: Delivery) -> None:
        if scanned := ScannedObject.of(delivery.body):
            ScanWaits(c.database, c.extract_queue, c.clock).end(scanned)
            return
        for change in parse_events(delivery.body):
            registrar.register(change, delivery.receive_count)

    return process_batch(event, register, Metric.REGISTER_TIME)
