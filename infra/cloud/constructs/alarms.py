"""Alarms: each tells people through one topic, and says what to do."""

from enum import StrEnum
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cloud.config import DeploymentConfig

PUBLISHERS: Final = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")


class Runbook(StrEnum):
    """The section of docs/operations.md that says what to do."""

    DEAD_LETTERS = "A dead-letter queue is not empty"
    BACKLOG = "Documents wait too long"
    FUNCTIONS = "Functions fail or are throttled"
    API = "The API answers with errors or slowly"
    SIGN_IN = "Many credentials are refused"
    DATABASE = "The database is at its limit"
    PROXY = "The database proxy pins sessions or refuses connections"
    PROVIDERS = "A provider fails"
    PARTITIONS = "The next partition is missing"
    SCHEDULES = "A scheduled job does not run"
    WEBHOOKS = "Webhooks are not delivered"
    BUDGET = "The month costs more than planned"


class AlarmTopic(Construct):
    """Where alarms and the budget report; encrypted, over TLS only. The key lets both services use it."""

    def __init__(self, scope: Construct, config: DeploymentConfig, key: kms.IKey) -> None:
        super().__init__(scope, "AlarmTopic")
        self.topic = sns.Topic(self, "Topic", display_name=f"{config.prefix} alarms", master_key=key, enforce_ssl=True)
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal(name) for name in PUBLISHERS],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        if config.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))


class Alarms(Construct):
    """Makes alarms. To nearly all of them silence is good news: an idle deployment measures nothing."""

    def __init__(self, scope: Construct, topic: sns.ITopic) -> None:
        super().__init__(scope, "Alarms")
        self._action = actions.SnsAction(topic)

    def above(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        limit: float,
        what_to_do: str,
        runbook: Runbook,
        *,
        periods: int = 1,
    ) -> cloudwatch.Alarm:
        """Alarm when the metric is above `limit` for so many periods in a row, and again when it is not any more."""
        return self._alarm(
            name,
            metric,
            limit,
            what_to_do,
            runbook,
            periods=periods,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def not_at_rest(
        self, name: str, metric: cloudwatch.Metric, hours: int, what_to_do: str, runbook: Runbook
    ) -> cloudwatch.Alarm:
        """Alarm when for so many hours a metric was never measured to be 0: it was above, or nobody measured it.

        So one alarm, at the price of one, tells that a job found something and that it did not run. It rings after a
        first deployment, too, until the job has run once.
        """
        return self._alarm(
            name,
            metric.with_(period=Duration.hours(1)),
            0,
            what_to_do,
            runbook,
            periods=hours,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def silent(
        self, name: str, metric: cloudwatch.Metric, hours: int, what_to_do: str, runbook: Runbook
    ) -> cloudwatch.Alarm:
        """Alarm when for so many hours nothing was counted."""
        return self._alarm(
            name,
            metric.with_(period=Duration.hours(1)),
            1,
            what_to_do,
            runbook,
            periods=hours,
            missing=cloudwatch.TreatMissingData.BREACHING,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        limit: float,
        what_to_do: str,
        runbook: Runbook,
        *,
        periods: int,
        missing: cloudwatch.TreatMissingData,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=limit,
            evaluation_periods=periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
            alarm_description=f"{what_to_do} See docs/operations.md: {runbook}.",
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        return alarm
