"""What runs although nobody asks: schedules, the polling of queues, and published versions kept warm."""

from collections.abc import Iterator
from typing import Final

from infra.cloud.cost.assumptions import (
    AWAKE_ACU,
    HOURS,
    IDLE_CONNECTION_SECONDS,
    POLL_SECONDS,
    POLLERS,
    RUN_LOG_KB,
    SCHEDULED_RUN_SECONDS,
    WAKE_SECONDS,
)
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.schedules import WEEK, awake_seconds, starts
from infra.cloud.cost.templates import Deployment, Resource

DEFAULT_MEMORY_MB: Final = 128
DEFAULT_PAUSE_SECONDS: Final = 300
KB_PER_GB: Final = 1024 * 1024
WEEKS: Final = HOURS * 3600 / WEEK
SCHEDULE: Final = "AWS::Scheduler::Schedule"


def awake_usage(deployment: Deployment) -> Iterator[Usage]:
    """Yield what the schedules together cost a database that pauses: runs close to each other wake it once.

    Raises:
        LookupError: a schedule's expression is not understood.
    """
    runs = [run for schedule in deployment.of_type(SCHEDULE) if _runs(schedule) for run in _starts(schedule)]
    if runs and deployment.paused_when_idle:
        cluster = next(iter(deployment.of_type("AWS::RDS::DBCluster")))
        pause = cluster.properties["ServerlessV2ScalingConfiguration"].get("SecondsUntilAutoPause")
        awake = awake_seconds(
            runs,
            wake=WAKE_SECONDS,
            run=SCHEDULED_RUN_SECONDS,
            pause=IDLE_CONNECTION_SECONDS + float(pause or DEFAULT_PAUSE_SECONDS),
        )
        yield Usage("aurora_acu", WEEKS * awake / 3600 * AWAKE_ACU, "scheduled runs that wake the paused database")


def _schedule(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return what a schedule's runs use; what they cost the database is counted for all of them together."""
    if not _runs(resource):
        return
    runs = WEEKS * len(_starts(resource))
    gigabytes = _memory_mb(resource, deployment) / 1024
    yield Usage("schedule_invocation", runs, "scheduled runs")
    yield Usage("lambda_request", runs, "scheduled runs")
    yield Usage("lambda_gb_second", runs * SCHEDULED_RUN_SECONDS * gigabytes, "scheduled runs")
    yield Usage("log_ingestion", runs * RUN_LOG_KB / KB_PER_GB, "scheduled runs")


def _runs(schedule: Resource) -> bool:
    return bool(schedule.properties.get("State") != "DISABLED")


def _starts(schedule: Resource) -> list[int]:
    return starts(schedule.properties["ScheduleExpression"])


def _memory_mb(schedule: Resource, deployment: Deployment) -> int:
    started = schedule.properties["Target"]["Arn"]["Fn::GetAtt"][0]
    functions = deployment.of_type("AWS::Lambda::Function")
    found = next(f for f in functions if f.logical_id == started and f.stack == schedule.stack)
    return int(found.properties.get("MemorySize", DEFAULT_MEMORY_MB))


def _poll(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    if "ProvisionedPollerConfig" in resource.properties:
        raise LookupError("provisioned pollers")
    if resource.properties.get("Enabled", True):
        yield Usage("sqs_request", POLLERS * HOURS * 3600 / POLL_SECONDS, "Lambda's polling of empty queues")


def _version(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return what SnapStart's snapshot of a published version costs while the version is there."""
    if "ProvisionedConcurrencyConfig" in resource.properties:
        raise LookupError("provisioned concurrency")
    name = resource.properties["FunctionName"].get("Ref")
    function = next(f for f in deployment.of_type("AWS::Lambda::Function") if f.logical_id == name)
    if function.properties.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        gigabytes = function.properties.get("MemorySize", 128) / 1024
        yield Usage("snapstart_cache", gigabytes * HOURS * 3600, "SnapStart snapshots")


RULES: Final = {
    "AWS::Lambda::EventSourceMapping": _poll,
    "AWS::Lambda::Version": _version,
    SCHEDULE: _schedule,
}
