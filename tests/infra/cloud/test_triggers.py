"""Every trigger of the catalog reaches its function; what HTTP needs is in test_api*."""

from itertools import pairwise
from typing import Any

import pytest

from infra.catalog import FUNCTIONS, QUEUES, DeploymentTrigger, FunctionSpec, Queue, QueueTrigger, ScheduleTrigger
from infra.cloud.constructs.schedule import cron_expression
from infra.cloud.cost.schedules import WEEK, starts
from infra.packaging.layers import cloud_layers
from tests.infra.cloud.templates import Deployment, Resource, actions

QUEUE_FUNCTIONS = [spec for spec in FUNCTIONS if isinstance(spec.trigger, QueueTrigger)]
JOBS = [spec for spec in FUNCTIONS if isinstance(spec.trigger, ScheduleTrigger)]
DEPLOYED = [spec for spec in FUNCTIONS if isinstance(spec.trigger, DeploymentTrigger)]


def _name(spec: FunctionSpec) -> str:
    return spec.name


def _arn(deployment: Deployment, function: str) -> str:
    stack, key, _ = deployment.functions[function]
    return f"${{{stack.name}.{key}.Arn}}"


def _queue(deployment: Deployment, name: str) -> tuple[str, Resource]:
    found = {
        resource["Properties"].get("QueueName"): (f"${{{stack.name}.{key}.Arn}}", resource)
        for stack, key, resource in deployment.of("AWS::SQS::Queue")
    }
    return found[f"{deployment.config.prefix}-{name}"]


def test_every_function_of_the_catalog_is_deployed_once(deployment: Deployment) -> None:
    assert set(deployment.functions) == {spec.name for spec in FUNCTIONS}


@pytest.mark.parametrize("spec", FUNCTIONS, ids=_name)
def test_a_function_has_the_limits_and_the_layers_of_its_entry(deployment: Deployment, spec: FunctionSpec) -> None:
    stack, _, found = deployment.functions[spec.name]
    properties = found["Properties"]

    assert (properties["MemorySize"], properties["Timeout"]) == (spec.memory_mb, spec.timeout_seconds)
    assert properties["Architectures"] == ["arm64"]
    layers = [deployment.text(stack, layer) for layer in properties["Layers"]]
    wanted = [name.title().replace("_", "") for name in cloud_layers(spec)]
    assert [name for name, layer in zip(wanted, layers, strict=False) if f".Layers{name}" in layer] == wanted


@pytest.mark.parametrize("spec", QUEUE_FUNCTIONS, ids=_name)
def test_messages_start_their_function(deployment: Deployment, spec: FunctionSpec) -> None:
    assert isinstance(spec.trigger, QueueTrigger)
    arn, _ = _queue(deployment, spec.trigger.queue.name)
    function = deployment.functions[spec.name][1]

    mappings = [
        (stack, found["Properties"])
        for stack, _, found in deployment.of("AWS::Lambda::EventSourceMapping")
        if found["Properties"]["FunctionName"] == {"Ref": function}
    ]

    [(stack, mapping)] = mappings
    assert deployment.text(stack, mapping["EventSourceArn"]) == arn
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == spec.trigger.batch_size
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": max(2, spec.trigger.max_concurrency)}
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage", "kms:Decrypt"} <= set(actions(deployment.statements(spec.name)))


def test_a_function_that_goes_on_by_message_is_not_taken_for_an_endless_loop(deployment: Deployment) -> None:
    allowed = {
        name
        for name, (_, _, found) in deployment.functions.items()
        if found["Properties"].get("RecursiveLoop") == "Allow"
    }

    assert {"extract_document"} <= allowed
    assert allowed == {spec.name for spec in QUEUE_FUNCTIONS if spec.trigger.queue in spec.sends_to}  # type: ignore[union-attr]


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_queue_hides_a_message_long_enough_and_ends_in_a_dead_letter_queue_of_its_own(
    deployment: Deployment, queue: Queue
) -> None:
    [timeout] = [
        spec.timeout_seconds
        for spec in FUNCTIONS
        if isinstance(spec.trigger, QueueTrigger) and spec.trigger.queue == queue
    ]
    _, found = _queue(deployment, queue.name)
    dead, dead_found = _queue(deployment, f"{queue.name}-dead")

    assert found["Properties"]["VisibilityTimeout"] >= 6 * timeout
    redrive = found["Properties"]["RedrivePolicy"]
    assert deployment.text(deployment.stacks["data"], redrive["deadLetterTargetArn"]) == dead
    assert redrive["maxReceiveCount"] == queue.max_receive_count >= 5
    assert dead_found["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    [source] = dead_found["Properties"]["RedriveAllowPolicy"]["sourceQueueArns"]
    assert deployment.text(deployment.stacks["data"], source).endswith(f":{deployment.config.prefix}-{queue.name}")


def _schedule(deployment: Deployment, spec: FunctionSpec) -> dict[str, Any]:
    jobs = deployment.stacks["jobs"]
    [properties] = [
        found["Properties"]
        for found in jobs.resources("AWS::Scheduler::Schedule").values()
        if deployment.text(jobs, found["Properties"]["Target"]["Arn"]) == _arn(deployment, spec.name)
    ]
    return dict(properties)


@pytest.mark.parametrize("spec", JOBS, ids=_name)
def test_a_job_runs_as_often_as_its_entry_says(deployment: Deployment, spec: FunctionSpec) -> None:
    assert isinstance(spec.trigger, ScheduleTrigger)
    pauses = deployment.config.capacity.min_acu == 0
    minutes = spec.trigger.every_minutes_lean if pauses else spec.trigger.every_minutes

    runs = starts(_schedule(deployment, spec)["ScheduleExpression"])

    pauses_between = {after - before for before, after in pairwise([*runs, runs[0] + WEEK])}
    assert pauses_between == {60 * minutes}


def test_jobs_of_a_database_that_pauses_run_while_the_reaper_has_woken_it(lean: Deployment) -> None:
    runs = {spec.name: starts(_schedule(lean, spec)["ScheduleExpression"]) for spec in JOBS}
    awake = lean.config.capacity.pause_after_minutes * 60

    for name, begun in runs.items():
        for start in begun:
            assert any(0 <= start - woken < awake for woken in runs["reap_stalled"]), name
    assert len({begun[0] for begun in runs.values()}) == len(runs), "no two of them begin together"


@pytest.mark.parametrize("minutes", [7, 90, 2880, 45])
def test_what_is_no_part_of_an_hour_a_day_or_a_week_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match=f"every {minutes} minutes"):
        cron_expression(minutes, 0)


def test_a_run_is_worth_trying_again_for_no_longer_than_lambda_and_scheduler_do(deployment: Deployment) -> None:
    jobs = deployment.stacks["jobs"]
    for found in jobs.resources("AWS::Lambda::EventInvokeConfig").values():
        assert 300 <= found["Properties"]["MaximumEventAgeInSeconds"] <= 21_600
    for found in jobs.resources("AWS::Scheduler::Schedule").values():
        assert 300 <= found["Properties"]["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86_400


@pytest.mark.parametrize("spec", JOBS, ids=_name)
def test_a_job_has_its_schedule_its_retries_and_its_dead_letter_queue(
    deployment: Deployment, spec: FunctionSpec
) -> None:
    jobs = deployment.stacks["jobs"]

    target = _schedule(deployment, spec)["Target"]
    [runs] = [
        found["Properties"]
        for found in jobs.resources("AWS::Lambda::EventInvokeConfig").values()
        if found["Properties"]["FunctionName"] == {"Ref": deployment.functions[spec.name][1]}
    ]

    assert target["RetryPolicy"]["MaximumRetryAttempts"] == runs["MaximumRetryAttempts"] == 2
    dead = target["DeadLetterConfig"]["Arn"]
    assert runs["DestinationConfig"]["OnFailure"]["Destination"] == dead
    assert jobs.resources("AWS::SQS::Queue")[dead["Fn::GetAtt"][0]]
    role = jobs.resources("AWS::IAM::Role")[target["RoleArn"]["Fn::GetAtt"][0]]
    [trust] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}


@pytest.mark.parametrize("spec", DEPLOYED, ids=_name)
def test_the_migration_runs_at_a_deployment_once_there_is_a_server(deployment: Deployment, spec: FunctionSpec) -> None:
    data = deployment.stacks["data"]

    [migration] = data.resources("Custom::DatabaseMigration").values()

    provider = data.resources("AWS::Lambda::Function")[migration["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]
    called = provider["Properties"]["Environment"]["Variables"]["USER_ON_EVENT_FUNCTION_ARN"]
    assert deployment.text(data, called) == _arn(deployment, spec.name)
    assert set(data.resources("AWS::RDS::DBInstance")) <= set(migration["DependsOn"])
    assert migration["Properties"]["Version"]


def test_the_bucket_reports_to_the_intake_queue_which_lets_only_it_in(deployment: Deployment) -> None:
    data = deployment.stacks["data"]
    intake, _ = _queue(deployment, "intake")
    [bucket] = [
        found
        for found in data.resources("AWS::S3::Bucket").values()
        if "NotificationConfiguration" in found["Properties"]
    ]

    reported = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    permission = data.resources("AWS::SQS::QueuePolicy")[bucket["DependsOn"][0]]["Properties"]["PolicyDocument"]

    assert {entry["Event"] for entry in reported} == {
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:*",
        "s3:LifecycleExpiration:*",
    }
    assert {deployment.text(data, entry["Queue"]) for entry in reported} == {intake}
    [allowed] = [statement for statement in permission["Statement"] if statement["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    name = deployment.text(data, bucket["Properties"]["BucketName"])
    assert deployment.text(data, allowed["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(f":s3:::{name}")
