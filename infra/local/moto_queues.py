"""Moto's SQS: the product's queues, and locks that moto lacks."""

import functools
import json
from collections.abc import Callable
from typing import Any

from moto.sqs.models import Queue, SQSBackend, sqs_backends

from infra.local.stand_in_plan import ACCOUNT, REGION, StandInPlan

RETENTION_SECONDS = 14 * 24 * 3600


class Queues:
    """The queues of one plan."""

    def __init__(self, backend: SQSBackend, notify: str) -> None:
        self._backend = backend
        self._notify = notify

    def publish(self, event: dict[str, Any]) -> None:
        """Put a bucket's event on the queue that hears of them."""
        self._backend.send_message(queue_name=self._notify, message_body=json.dumps(event))


def create(plan: StandInPlan) -> Queues:
    """Create every queue with its dead-letter queue."""
    _lock_operations()
    backend = sqs_backends[ACCOUNT][REGION]
    for queue in plan.queues:
        retention = {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
        dead = backend.create_queue(queue.dead, {}, **retention)
        redrive = {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": queue.max_receive_count}
        attributes = {"VisibilityTimeout": str(queue.visibility_seconds), "RedrivePolicy": json.dumps(redrive)}
        backend.create_queue(queue.name, {}, **retention, **attributes)
    return Queues(backend, plan.notify)


def _lock_operations() -> None:
    """Moto serves requests in threads and changes a queue's list unlocked: a delete can lose a message that is
    sent at the same moment, and two receivers can get the same one."""
    for name in ("receive_message", "change_message_visibility", "purge_queue"):
        setattr(SQSBackend, name, _under_queue_lock(getattr(SQSBackend, name)))
    delete = Queue.delete_message

    def locked_delete(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            delete(self, receipt_handle)

    Queue.delete_message = locked_delete  # type: ignore[method-assign]


def _under_queue_lock(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def locked(self: SQSBackend, queue_name: str, *arguments: Any, **named: Any) -> Any:
        # Reentrant, and given up while a receiver waits for messages.
        with self.get_queue(queue_name)._messages_lock:
            return operation(self, queue_name, *arguments, **named)

    return locked
