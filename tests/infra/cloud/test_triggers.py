"""Every trigger of the catalog reaches its function; what HTTP needs is in test_api*."""

import pytest

from infra.catalog import FUNCTIONS, QUEUES, DeploymentTrigger, FunctionSpec, Queue, QueueTrigger, ScheduleTrigger
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


@pytest.mark.parametrize("spec", JOBS, ids=_name)
def test_a_job_has_its_schedule_its_retries_and_its_dead_letter_queue(
    deployment: Deployment, spec: FunctionSpec
) -> None:
    assert isinstance(spec.trigger, ScheduleTrigger)
    pauses = deployment.config.capacity.min_acu == 0
    minutes = spec.trigger.every_minutes_lean if pauses else spec.trigger.every_minutes
    jobs = deployment.stacks["jobs"]

    [target] = [
        found["Properties"]["Target"]
        for found in jobs.resources("AWS::Scheduler::Schedule").values()
        if deployment.text(jobs, found["Properties"]["Target"]["Arn"]) == _arn(deployment, spec.name)
        and found["Properties"]["ScheduleExpression"] == f"rate({minutes} minutes)"
    ]
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
