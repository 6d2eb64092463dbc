"""EventBridge Scheduler starts a function every so many minutes."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.catalog import ScheduleTrigger
from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.constructs.queues import dead_letter_queue
from infra.cloud.platform import Platform

RETRIES: Final = 2


class Schedule(Construct):
    """The schedule, its role, and the queue for what could not be run.

    Scheduler only hands an event over; the run itself can fail later. Both ends write to the same queue.
    """

    def __init__(self, function: CatalogFunction, trigger: ScheduleTrigger, platform: Platform) -> None:
        super().__init__(function, "Schedule")
        minutes = minutes_between(trigger, platform.config)
        # The next run does the same work: an old one is worth nothing.
        worth_minutes = max(minutes, 5)
        self.dead = dead_letter_queue(self, key=platform.key)
        self._permit_sending_dead(function.role, platform)
        lambda_.CfnEventInvokeConfig(
            self,
            "Runs",
            function_name=function.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=60 * worth_minutes,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead.queue_arn)
            ),
        ).node.add_dependency(function.role)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"{platform.config.prefix}: {function.spec.name}",
            schedule_expression=f"rate({minutes} minutes)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function.function_arn,
                role_arn=self._role(function, platform).role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=RETRIES, maximum_event_age_in_seconds=60 * worth_minutes
                ),
            ),
        )

    def _role(self, function: CatalogFunction, platform: Platform) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
            ),
            description=f"Starts {function.spec.name}",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="Start", actions=["lambda:InvokeFunction"], resources=[function.function.function_arn]
            )
        )
        self._permit_sending_dead(role, platform)
        return role

    def _permit_sending_dead(self, role: iam.Role, platform: Platform) -> None:
        key = platform.key.key_arn
        send = iam.PolicyStatement(sid="SendDead", actions=["sqs:SendMessage"], resources=[self.dead.queue_arn])
        encrypt = iam.PolicyStatement(
            sid="EncryptDead", actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key]
        )
        role.add_to_policy(send)
        role.add_to_policy(encrypt)


def minutes_between(trigger: ScheduleTrigger, config: DeploymentConfig) -> int:
    """Return how often a function runs: less often where each run would wake a database that has paused."""
    return trigger.every_minutes_lean if config.capacity.min_acu == 0 else trigger.every_minutes
