"""The queues of the catalog. They are standard queues; `MessageGroupId`, the organization, makes them fair."""

from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.catalog import FUNCTIONS, Queue, QueueTrigger
from infra.cloud.constructs.acknowledge import acknowledge

VISIBILITY_TIMEOUTS: Final = 6
"""AWS's advice: a message stays hidden for six times as long as its function may run."""

KEPT: Final = Duration.days(14)
KEY_REUSE: Final = Duration.hours(1)


class CatalogQueue(Construct):
    """A queue and its dead-letter queue, which takes from nobody else.

    Both have names: the operator needs them, and the dead-letter queue must know whom it takes from, which
    without a name would be a circle.
    """

    def __init__(self, scope: Construct, queue: Queue, *, key: kms.IKey, prefix: str) -> None:
        super().__init__(scope, queue.name.title())
        name = f"{prefix}-{queue.name}"
        stack = Stack.of(self)
        source = sqs.Queue.from_queue_arn(self, "Source", stack.format_arn(service="sqs", resource=name))
        self.dead = dead_letter_queue(self, key=key, name=f"{name}-dead", source=source)
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=KEY_REUSE,
            enforce_ssl=True,
            retention_period=KEPT,
            visibility_timeout=Duration.seconds(VISIBILITY_TIMEOUTS * consumer_timeout(queue)),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=queue.max_receive_count, queue=self.dead),
        )


def dead_letter_queue(
    scope: Construct, *, key: kms.IKey, name: str | None = None, source: sqs.IQueue | None = None
) -> sqs.Queue:
    """Make a queue for what nobody could process; it is kept for two weeks. No queue but `source` may send there."""
    permission = sqs.RedrivePermission.BY_QUEUE if source else sqs.RedrivePermission.DENY_ALL
    queue = sqs.Queue(
        scope,
        "Dead",
        queue_name=name,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        data_key_reuse=KEY_REUSE,
        enforce_ssl=True,
        retention_period=KEPT,
        redrive_allow_policy=sqs.RedriveAllowPolicy(
            redrive_permission=permission, source_queues=[source] if source else None
        ),
    )
    acknowledge(queue, "It is a dead-letter queue.", "SQS3")
    return queue


def consumer_timeout(queue: Queue) -> int:
    """Return the seconds that the queue's function may run.

    Raises:
        ValueError: no function of the catalog, or more than one, takes its messages.
    """
    timeouts = [
        spec.timeout_seconds
        for spec in FUNCTIONS
        if isinstance(spec.trigger, QueueTrigger) and spec.trigger.queue == queue
    ]
    if len(timeouts) != 1:
        raise ValueError(f"The queue {queue.name} must have one function that takes its messages, not {len(timeouts)}.")
    return timeouts[0]
