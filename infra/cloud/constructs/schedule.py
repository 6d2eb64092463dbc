"""EventBridge Scheduler starts a function by the clock (UTC)."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.catalog import FUNCTIONS, ScheduleTrigger
from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.catalog_function import CatalogFunction
from infra.cloud.platform import Platform

RETRIES: Final = 2
HOUR: Final = 60
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
RUN_WORTH_MINUTES: Final = 6 * HOUR
"""Lambda keeps an event for six hours at most."""

START_WORTH_MINUTES: Final = DAY
"""Scheduler tries for a day at most."""


class Schedule(Construct):
    """The schedule and its role; `dead` takes what could not be run.

    Scheduler only hands an event over; the run itself can fail later. Both ends write to the same queue.
    """

    def __init__(
        self, function: CatalogFunction, trigger: ScheduleTrigger, platform: Platform, *, dead: sqs.IQueue
    ) -> None:
        super().__init__(function, "Schedule")
        minutes = minutes_between(trigger, platform.config)
        # The next run does the same work: an old one is worth nothing.
        worth_minutes = max(minutes, 5)
        self.dead = dead
        self._permit_sending_dead(function.role, platform)
        lambda_.CfnEventInvokeConfig(
            self,
            "Runs",
            function_name=function.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=RETRIES,
            maximum_event_age_in_seconds=60 * min(worth_minutes, RUN_WORTH_MINUTES),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead.queue_arn)
            ),
        ).node.add_dependency(function.role)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"{platform.config.prefix}: {function.spec.name}",
            schedule_expression=cron_expression(minutes, start_minute(trigger)),
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function.function_arn,
                role_arn=self._role(function, platform).role_arn,
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead.queue_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=RETRIES,
                    maximum_event_age_in_seconds=60 * min(worth_minutes, START_WORTH_MINUTES),
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


def start_minute(trigger: ScheduleTrigger) -> int:
    """Return the minute of the hour at which a function's runs begin: the most frequent first, each other a minute
    after the one before.

    A database that pauses is woken by the first, and is still awake for the others: waking it is what costs. Together
    they would all wait for it to wake up, and compete for its least capacity.
    """
    triggers = [spec.trigger for spec in FUNCTIONS if isinstance(spec.trigger, ScheduleTrigger)]
    triggers.sort(key=lambda known: (known.every_minutes, known.every_minutes_lean))
    return next(minute for minute, known in enumerate(triggers) if known is trigger)


def cron_expression(minutes: int, start: int) -> str:
    """Return the expression for every so many minutes, counted from midnight (of Sunday), at `start` past.

    Raises:
        ValueError: runs would not fall on the same times of each hour, day or week.
    """
    if minutes == WEEK:
        return f"cron({start} 0 ? * SUN *)"
    if minutes == DAY:
        return f"cron({start} 0 * * ? *)"
    if minutes % HOUR == 0 and DAY % minutes == 0:
        return f"cron({start} 0/{minutes // HOUR} * * ? *)"
    if HOUR % minutes == 0 and start < minutes:
        return f"cron({start}/{minutes} * * * ? *)"
    raise ValueError(f"every {minutes} minutes is no time of an hour, a day or a week")
