"""The deployment's one KMS key: each costs a dollar a month, and one life cycle needs no second."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.removal import removal_policy

SENDERS: Final = ("budgets", "cloudwatch", "events", "s3")
"""AWS's services that put messages into encrypted queues and topics: notifications, alarms and scan results."""


def encryption_key(scope: Construct, config: DeploymentConfig) -> kms.Key:
    """Make the key. It rotates every year, and serves what AWS itself does with it for this account."""
    key = kms.Key(
        scope,
        "Key",
        alias=f"alias/{config.prefix}",
        description=f"Everything that {config.prefix} stores",
        enable_key_rotation=True,
        removal_policy=removal_policy(config),
    )
    stack = Stack.of(scope)
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="SendEncrypted",
            principals=[iam.ServicePrincipal(f"{service}.amazonaws.com") for service in SENDERS],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            # In a key's policy the resource is the key itself. There is no condition on the source, for not each of
            # these services names it to KMS; the policies of queues and topics say from where they take messages.
            resources=["*"],
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="EncryptLogs",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups(stack, config.prefix)}},
        )
    )
    return key


def log_groups(stack: Stack, prefix: str) -> list[str]:
    """Return the ARNs of the database's log groups, and of those whose names begin as the deployment's stacks do."""
    every = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:"
    return [f"{every}{prefix}-*", f"{every}/aws/rds/cluster/{prefix}/*"]
