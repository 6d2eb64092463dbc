"""Alarms, the budget and the dashboard against what the deployment has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatsphere.knowledge.ingestion.times import DEADLINE
from chatsphere.observability import NAMESPACE, SERVICE_DIMENSION, Metric
from infra.catalog import FUNCTIONS, JOBS, QUEUES, ScheduleTrigger
from infra.cloud.config import Profile
from infra.cloud.constructs.alarm_set import FILE_QUEUES
from infra.cloud.constructs.alarms import Runbook
from infra.cloud.cost.idle_observability import FREE_DASHBOARD_METRICS
from tests.infra.cloud.templates import Deployment, Stack

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture
def stack(deployment: Deployment) -> Stack:
    return deployment.stacks["observability"]


def alarms(deployment: Deployment) -> list[dict[str, Any]]:
    """Return what each alarm looks at, with its dimensions written out."""
    stack = deployment.stacks["observability"]
    found = [alarm["Properties"] for alarm in stack.resources("AWS::CloudWatch::Alarm").values()]
    return [
        alarm | {"On": {d["Name"]: deployment.text(stack, d["Value"]) for d in alarm.get("Dimensions", [])}}
        for alarm in found
    ]


def on(deployment: Deployment, metric: str, **dimensions: str) -> list[dict[str, Any]]:
    return [a for a in alarms(deployment) if a["MetricName"] == metric and dimensions.items() <= a["On"].items()]


def queue_ids(deployment: Deployment, name: str) -> list[str]:
    return [
        f"${{{stack.name}.{id_}.QueueName}}"
        for stack, id_, queue in deployment.of("AWS::SQS::Queue")
        if queue["Properties"].get("QueueName") == f"{deployment.config.prefix}-{name}"
    ]


@pytest.mark.parametrize("name", [queue.name for queue in QUEUES])
def test_each_queue_has_an_alarm_for_dead_letters_and_one_for_what_waits(deployment: Deployment, name: str) -> None:
    (queue,) = queue_ids(deployment, name)
    (dead,) = queue_ids(deployment, f"{name}-dead")

    if watched_together(deployment, name):
        (letters,) = on(deployment, Metric.MESSAGES_DEAD.metric_name)
    else:
        (letters,) = on(deployment, "ApproximateNumberOfMessagesVisible", QueueName=dead)
        (waiting,) = on(deployment, "ApproximateAgeOfOldestMessage", QueueName=queue)
        assert 0 < waiting["Threshold"] < (86_400 if name == JOBS.name else DEADLINE.total_seconds() / 2)
    assert (letters["Threshold"], letters["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def watched_together(deployment: Deployment, name: str) -> bool:
    """Whether one metric of all queues stands for a queue: in `lean`, of those that files do not go through."""
    return deployment.config.profile is Profile.LEAN and name not in FILE_QUEUES


def test_the_schedules_have_one_alarm_for_dead_letters(deployment: Deployment) -> None:
    of_jobs = [a for a in on(deployment, "ApproximateNumberOfMessagesVisible") if "${jobs." in a["On"]["QueueName"]]
    assert len(of_jobs) == 1


def test_every_queue_without_a_consumer_is_watched(deployment: Deployment) -> None:
    watched = {a["On"]["QueueName"] for a in alarms(deployment) if "QueueName" in a["On"]}
    everywhere = {f"${{{stack.name}.{id_}.QueueName}}" for stack, id_, _ in deployment.of("AWS::SQS::Queue")}
    together = [q.name for q in QUEUES if watched_together(deployment, q.name)]
    unwatched = {id_ for q in together for name in (q, f"{q}-dead") for id_ in queue_ids(deployment, name)}
    assert watched == everywhere - unwatched


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_lean_watches_all_functions_by_one_metric_and_scale_each_of_them(
    lean: Deployment, scale: Deployment, metric: str
) -> None:
    assert [alarm["On"] for alarm in on(lean, metric)] == [{}]
    names = {f"{scale.config.prefix}-{spec.name}" for spec in FUNCTIONS}
    assert {alarm["On"]["FunctionName"] for alarm in on(scale, metric)} == names
    deployed = {
        f["Properties"]["FunctionName"]
        for _, _, f in scale.of("AWS::Lambda::Function")
        if "FunctionName" in f["Properties"]
    }
    assert names <= deployed


def test_scale_watches_functions_that_come_near_their_timeout(scale: Deployment) -> None:
    for spec in FUNCTIONS:
        (slow,) = on(scale, "Duration", FunctionName=f"{scale.config.prefix}-{spec.name}")
        assert slow["ExtendedStatistic"] == "p99"
        assert 0.5 < slow["Threshold"] / 1000 / spec.timeout_seconds < 1


def test_scale_watches_whether_scheduled_functions_are_begun(scale: Deployment) -> None:
    hours = {}
    for spec in FUNCTIONS:
        if isinstance(spec.trigger, ScheduleTrigger):
            (silent,) = on(scale, "Invocations", FunctionName=f"{scale.config.prefix}-{spec.name}")
            assert (silent["Threshold"], silent["ComparisonOperator"]) == (1, "LessThanThreshold")
            assert (silent["Period"], silent["TreatMissingData"]) == (3600, "breaching")
            hours[spec.name] = silent["EvaluationPeriods"]
    assert hours == {"reap_stalled": 1, "roll_up_usage": 1, "enforce_retention": 26, "maintain_database": 26}


def test_the_api_is_watched_by_its_own_name(deployment: Deployment) -> None:
    api = deployment.stacks["api"]
    (rest_api,) = api.resources("AWS::ApiGateway::RestApi").values()
    (stage,) = api.resources("AWS::ApiGateway::Stage").values()
    of_api = {"ApiName": rest_api["Properties"]["Name"], "Stage": stage["Properties"]["StageName"]}
    assert on(deployment, "5XXError", **of_api)


def test_the_database_is_watched_and_pinned_sessions_where_there_is_a_proxy(
    lean: Deployment, scale: Deployment
) -> None:
    for deployment in (lean, scale):
        ((stack, cluster, _),) = deployment.of("AWS::RDS::DBCluster")
        assert on(deployment, "ACUUtilization", DBClusterIdentifier=f"${{{stack.name}.{cluster}}}")
    assert not on(lean, "DatabaseConnectionsCurrentlySessionPinned")
    ((stack, proxy, _),) = scale.of("AWS::RDS::DBProxy")
    (pinned,) = on(scale, "DatabaseConnectionsCurrentlySessionPinned", ProxyName=f"${{{stack.name}.{proxy}}}")
    assert pinned["Threshold"] == 0


def test_the_products_own_metrics_are_those_that_it_writes(deployment: Deployment) -> None:
    names = {metric.metric_name for metric in Metric}
    own = [alarm for alarm in alarms(deployment) if alarm["Namespace"] == NAMESPACE]
    assert {"AnswersFailed", "UnexpectedErrors"} <= {alarm["MetricName"] for alarm in own} <= names
    for alarm in own:
        assert alarm["On"] == {SERVICE_DIMENSION: deployment.config.prefix}
    services = {deployment.environment(spec.name)["POWERTOOLS_SERVICE_NAME"] for spec in FUNCTIONS}
    assert services == {deployment.config.prefix}


def test_every_alarm_tells_people_what_to_do_and_is_quiet_where_nothing_happens(
    deployment: Deployment, stack: Stack
) -> None:
    ((topic, _),) = stack.resources("AWS::SNS::Topic").items()
    headings = set(re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE))
    for alarm in alarms(deployment):
        is_of_a_schedule = alarm["MetricName"] in (Metric.PARTITIONS_MISSING.metric_name, "Invocations")
        assert alarm["TreatMissingData"] == ("breaching" if is_of_a_schedule else "notBreaching")
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
        section = alarm["AlarmDescription"].rpartition("See docs/operations.md: ")[2].removesuffix(".")
        assert section in set(Runbook)
        assert section in headings


def test_the_topic_is_encrypted_and_taken_over_tls_only(deployment: Deployment, stack: Stack) -> None:
    (topic,) = stack.resources("AWS::SNS::Topic").values()
    assert topic["Properties"]["KmsMasterKeyId"]
    (policy,) = stack.resources("AWS::SNS::TopicPolicy").values()
    statements = {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    plain = statements["AllowPublishThroughSSLOnly"]
    assert (plain["Effect"], plain["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert statements["AlarmsPublish"]["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    publishers = set(statements["AlarmsPublish"]["Principal"]["Service"])
    ((key_stack, _, key),) = deployment.of("AWS::KMS::Key")
    allowed = str(key["Properties"]["KeyPolicy"])
    assert publishers == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert all(publisher in allowed for publisher in publishers), key_stack.name


def test_the_mail_address_is_subscribed(everything: Deployment, scale: Deployment) -> None:
    ((_, _, subscription),) = everything.of("AWS::SNS::Subscription")
    assert subscription["Properties"]["Protocol"] == "email"
    assert subscription["Properties"]["Endpoint"] == everything.config.alarm_email
    assert scale.of("AWS::SNS::Subscription") == []


def test_the_budget_is_the_configurations_and_reports_to_the_topic(deployment: Deployment, stack: Stack) -> None:
    (budget,) = stack.resources("AWS::Budgets::Budget").values()
    limit = budget["Properties"]["Budget"]["BudgetLimit"]
    assert limit == {"Amount": deployment.config.monthly_budget_dollars, "Unit": "USD"}
    ((topic, _),) = stack.resources("AWS::SNS::Topic").items()
    kinds = set()
    for notification in budget["Properties"]["NotificationsWithSubscribers"]:
        kinds.add(notification["Notification"]["NotificationType"])
        assert notification["Subscribers"] == [{"Address": {"Ref": topic}, "SubscriptionType": "SNS"}]
    assert kinds == {"ACTUAL", "FORECASTED"}


def dashboard(deployment: Deployment) -> str:
    stack = deployment.stacks["observability"]
    (found,) = stack.resources("AWS::CloudWatch::Dashboard").values()
    return deployment.text(stack, found["Properties"]["DashboardBody"])


def test_the_dashboard_shows_every_queue(deployment: Deployment) -> None:
    shown = dashboard(deployment)
    for _, id_, _ in deployment.of("AWS::SQS::Queue"):
        assert f".{id_}.QueueName" in shown


def test_the_dashboard_shows_every_function_in_scale_and_in_lean_as_much_as_is_free(
    lean: Deployment, scale: Deployment
) -> None:
    for spec in FUNCTIONS:
        assert f'"{scale.config.prefix}-{spec.name}"' in dashboard(scale)
    series = [metric for widget in json.loads(dashboard(lean))["widgets"] for metric in widget["properties"]["metrics"]]
    assert ["AWS/Lambda", "Errors"] in [metric[:2] for metric in series]
    assert len(series) <= FREE_DASHBOARD_METRICS


def test_other_stacks_can_be_changed_without_this_one(deployment: Deployment) -> None:
    """A function's name is not imported: else removing a function would fail on its export being in use."""
    imported = str(deployment.stacks["observability"].body).count("Fn::ImportValue")
    text = deployment.text(deployment.stacks["observability"], deployment.stacks["observability"].body)
    assert imported
    assert not re.findall(r"ExportsOutputRef\w*Function", text)


def test_the_daily_job_rings_where_it_does_not_run_and_where_it_finds_a_partition_missing(
    deployment: Deployment,
) -> None:
    """The job counts 0 each day. A day and two hours without a 0 is more than there is between two runs."""
    (alarm,) = on(deployment, Metric.PARTITIONS_MISSING.metric_name)
    assert (alarm["Threshold"], alarm["Period"], alarm["Statistic"]) == (0, 3600, "Sum")
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (26, "breaching")
