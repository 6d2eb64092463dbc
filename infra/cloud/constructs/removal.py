"""What becomes of stored data when its stack is deleted."""

from aws_cdk import RemovalPolicy

from infra.cloud.config import DeploymentConfig


def removal_policy(config: DeploymentConfig) -> RemovalPolicy:
    """Return the policy for whatever holds data.

    Kept data outlives a deletion, but not the failure of the very deployment that made its store: what was left
    of that would be in the way of the next try.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.keeps_data else RemovalPolicy.DESTROY
