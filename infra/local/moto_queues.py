"""Moto's SQS: the product's queues, and the locks and the fairness that moto lacks."""

import functools
import json
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from infra.local.fairness import Fairness, Rank
from infra.local.stand_in_plan import ACCOUNT, REGION, StandInPlan

RETENTION_SECONDS = 14 * 24 * 3600
QUIET: Rank = (0, 0)


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
    _be_fair()
    _lock_operations()
    backend = sqs_backends[ACCOUNT][REGION]
    for queue in plan.queues:
        retention = {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
        dead = backend.create_queue(queue.dead, {}, **retention)
        redrive = {"deadLetterTargetArn": dead.queue_arn, "maxReceiveCount": queue.max_receive_count}
        attributes = {"VisibilityTimeout": str(queue.visibility_seconds), "RedrivePolicy": json.dumps(redrive)}
        backend.create_queue(queue.name, {}, **retention, **attributes)
    return Queues(backend, plan.notify)


def _be_fair() -> None:
    """Have each queue give its messages in the order that is fair to the groups (`MessageGroupId`)."""
    accounts: defaultdict[str, Fairness] = defaultdict(Fairness)
    visible = Queue.messages.fget  # type: ignore[attr-defined]
    receive, delete, hide = SQSBackend.receive_message, Queue.delete_message, SQSBackend.change_message_visibility

    def messages(self: Queue) -> list[Message]:
        found, account, now = visible(self), accounts[self.name], time.monotonic()
        for message in found:
            account.settle(message.id, now)  # its time was up, so that it is to be given again
        ranks = account.ranks({message.group_id for message in found if message.group_id}, now)
        return sorted(found, key=lambda message: ranks.get(message.group_id or "", QUIET)) if ranks else found

    def fair_receive(self: SQSBackend, queue_name: str, *arguments: Any, **named: Any) -> list[Message]:
        received = receive(self, queue_name, *arguments, **named)
        for message in received:
            if message.group_id:
                accounts[queue_name].receive(message.id, message.group_id, time.monotonic())
        return received

    def settling_delete(self: Queue, receipt_handle: str) -> None:
        _settle(self, receipt_handle)
        delete(self, receipt_handle)

    def settling_hide(self: SQSBackend, queue_name: str, receipt_handle: str, *arguments: Any, **named: Any) -> None:
        _settle(self.get_queue(queue_name), receipt_handle)
        hide(self, queue_name, receipt_handle, *arguments, **named)

    def _settle(queue: Queue, receipt_handle: str) -> None:
        for message in queue._messages:
            if message.had_receipt_handle(receipt_handle):
                accounts[queue.name].settle(message.id, time.monotonic())

    Queue.messages = property(messages)  # type: ignore[method-assign, assignment]
    SQSBackend.receive_message = fair_receive  # type: ignore[method-assign]
    Queue.delete_message = settling_delete  # type: ignore[method-assign]
    SQSBackend.change_message_visibility = settling_hide  # type: ignore[method-assign]


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
