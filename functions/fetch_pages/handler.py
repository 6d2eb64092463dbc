"""Fetches pages of the web, one a message, and hands what changed to ingestion."""

import random
import time
from typing import Any

from chatsphere.bootstrap import Container, container
from chatsphere.knowledge.ingestion.deletion import Eraser
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.web.hosts import Hosts
from chatsphere.knowledge.web.messages import FetchMessage
from chatsphere.knowledge.web.page_documents import PageDocuments
from chatsphere.knowledge.web.pages import Pages
from chatsphere.knowledge.web.syncing import Synchroniser
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of fetch messages."""
    synchroniser = _synchroniser(container())

    def fetch(delivery: Delivery) -> None:
        synchroniser.step(FetchMessage.parse(delivery.body))

    return process_batch(event, fetch, Metric.FETCH_TIME)


def _synchroniser(c: Container) -> Synchroniser:
    eraser = Eraser(c.database, c.object_store, c.vector_store, c.clock)
    limit = c.storage_settings.max_upload_bytes
    registrar = Registrar(c.database, c.object_store, c.extract_queue, eraser, c.clock, c.ids, limit)
    documents = PageDocuments(c.database, c.object_store, registrar, c.clock, c.ids)
    hosts = Hosts(c.database, c.page_fetcher, c.clock, c.web_settings, time.sleep)
    return Synchroniser(
        c.database, Pages(hosts, documents), c.fetch_queue, c.purge_queue, c.clock, c.ids, random.random
    )
