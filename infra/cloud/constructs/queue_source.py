"""Messages of a queue start a function."""

from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from infra.catalog import QueueTrigger
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.platform import Platform

LEAST_CONCURRENCY: Final = 2
"""AWS accepts no lower maximum."""

RECEIVE_ACTIONS: Final = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)


def queue_source(function: CatalogFunction, trigger: QueueTrigger, platform: Platform) -> lambda_.EventSourceMapping:
    """Hand the queue's messages to the function, which answers which of a batch failed.

    The maximum concurrency holds the pollers back; a function's own limit would throttle them instead, and each
    throttled delivery counts towards the dead-letter queue.
    """
    queue = platform.queues[trigger.queue.name]
    statements = [
        iam.PolicyStatement(sid="TakeMessages", actions=[*RECEIVE_ACTIONS], resources=[queue.queue_arn]),
        iam.PolicyStatement(sid="ReadMessages", actions=["kms:Decrypt"], resources=[platform.key.key_arn]),
    ]
    for statement in statements:
        function.role.add_to_policy(statement)
    mapping = lambda_.EventSourceMapping(
        function,
        "Source",
        target=function.function,
        event_source_arn=queue.queue_arn,
        batch_size=trigger.batch_size,
        max_concurrency=max(trigger.max_concurrency, LEAST_CONCURRENCY),
        report_batch_item_failures=True,
    )
    # Lambda tries the permission when the mapping is made.
    mapping.node.add_dependency(function.role)
    return mapping
