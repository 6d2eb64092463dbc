"""Copies of the database in another region, where the deployment asks for them.

In its own region Aurora itself keeps what any moment of the last `backup_days` is restored from.
"""

from typing import Final

from aws_cdk import ArnFormat, Duration, Environment, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.removal import removal_policy

TAKEN_AT: Final = {"hour": "3", "minute": "0"}
"""UTC, every day."""

START_WITHIN: Final = Duration.hours(1)
DONE_WITHIN: Final = Duration.hours(8)


class CopyStack(Stack):
    """In the other region: the vault that takes the copies, under a key of that region, which outlives a lost one."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(region=region),
            description="ChatSphere: copies of the database",
            termination_protection=config.keeps_data,
        )
        key = kms.Key(
            self,
            "Key",
            alias=f"alias/{copy_vault_name(config)}",
            description=f"Copies of the database of {config.prefix}",
            enable_key_rotation=True,
            removal_policy=removal_policy(config),
        )
        backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=copy_vault_name(config),
            encryption_key=key,
            removal_policy=removal_policy(config),
        )


class BackupStack(Stack):
    """A snapshot of the database every day, and its copy in the other region; each is deleted after `backup_days`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeploymentConfig,
        region: str,
        key: kms.IKey,
        cluster: rds.IDatabaseCluster,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="ChatSphere: daily snapshots of the database and where they are copied to",
            termination_protection=config.keeps_data,
        )
        kept = Duration.days(config.kept_backup_days)
        vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=f"{config.prefix}-backup",
            encryption_key=key,
            removal_policy=removal_policy(config),
        )
        arn = f"arn:{self.partition}:backup:{region}:{self.account}:backup-vault:{copy_vault_name(config)}"
        plan = backup.BackupPlan(
            self,
            "Plan",
            backup_plan_name=f"{config.prefix}-backup",
            backup_vault=vault,
            backup_plan_rules=[
                backup.BackupPlanRule(
                    rule_name="daily",
                    schedule_expression=events.Schedule.cron(**TAKEN_AT),
                    start_window=START_WITHIN,
                    completion_window=DONE_WITHIN,
                    delete_after=kept,
                    copy_actions=[
                        backup.BackupPlanCopyActionProps(
                            destination_backup_vault=backup.BackupVault.from_backup_vault_arn(self, "Copies", arn),
                            delete_after=kept,
                        )
                    ],
                )
            ],
        )
        copied = self.format_arn(
            service="rds",
            resource="cluster",
            resource_name=cluster.cluster_identifier,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        selection = plan.add_selection(
            "Database", resources=[backup.BackupResource.from_arn(copied)], backup_selection_name="database"
        )
        acknowledge(
            selection,
            "AWS's own policy for AWS Backup; it is needed as it is.",
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]",
        )


def copy_vault_name(config: DeploymentConfig) -> str:
    """Return the name of the vault in the other region, by which the plan knows it."""
    return f"{config.prefix}-copies"
