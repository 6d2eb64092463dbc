"""Sends events to the endpoints that asked for them."""

import random
from typing import Any

from chatsphere.bootstrap import container
from chatsphere.observability import Metric
from chatsphere.queue_batches import Delivery, process_batch
from chatsphere.webhooks.dispatching import Dispatcher
from chatsphere.webhooks.waking import WakeMessage


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Work off a batch of messages, each of which names a tenant with something to send."""
    c = container()
    dispatcher = Dispatcher(c.database, c.web_poster, c.webhook_box, c.webhooks_queue, c.clock, random.random)

    def run(delivery: Delivery) -> None:
        dispatcher.run(WakeMessage.parse(delivery.body))

    return process_batch(event, run, Metric.WEBHOOK_TIME)
