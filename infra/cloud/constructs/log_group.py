"""Log groups: kept as long as the deployment says, encrypted with its key."""

from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.removal import removal_policy

RETENTION: Final = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def log_group(
    scope: Construct, config: DeploymentConfig, key: kms.IKey | None, *, name: str | None = None
) -> logs.LogGroup:
    """Make the scope's log group.

    Only one that AWS would make itself has a name: one that was kept would be in the way of its successor. `key`
    permits log groups whose names begin with the deployment's prefix, as CloudFormation's names do, and the database's;
    without it CloudWatch's own key encrypts.
    """
    return logs.LogGroup(
        scope,
        "Logs",
        log_group_name=name,
        retention=RETENTION[config.log_retention_days],
        encryption_key=key,
        removal_policy=removal_policy(config),
    )
